export { avro, type AvroOptions, type AvroSerde } from "./avro/serde.ts"
export { bytes, double, int32, int64, none, string } from "./basic-serdes.ts"
export { SchemaParseError, SerdeError, UnknownSchemaId, UnsupportedSchema } from "./errors.ts"
export { json } from "./json.ts"
export type { JsonOptions, JsonSerde } from "./json-schema/serde.ts"
export {
  type CompatibilityLevel,
  type RegisteredSchema,
  RegistryClient,
  type RegistryClientOptions,
  RegistryError,
  RegistryUnreachable,
} from "./registry/client.ts"
export type { Registry, SchemaReference, SchemaText, SchemaType } from "./registry/registry.ts"
export { bindSerde, decodeNullable, encodeNullable, type Serde, type SerdeBinding, type SerdeType } from "./serde.ts"
export {
  recordName,
  type SubjectContext,
  type SubjectNameStrategy,
  topicName,
  topicRecordName,
} from "./subject-name.ts"
