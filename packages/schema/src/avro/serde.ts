/**
 * The Avro serde: of an Effect schema, or of a schema as `.avsc` files have it.
 *
 * Bound to a registry it writes the registry's wire format (`00`, schema id, Avro) and reads what any registered schema
 * wrote, by Avro's schema resolution. Unbound, in a test or with no registry at hand, it writes Avro's single-object
 * encoding (`c3 01`, fingerprint of the schema, Avro) and reads what the same schema wrote.
 *
 * Values of an Effect schema are its own type: classes come back as instances, and what does not fit the schema is
 * refused on encode. Values of an `.avsc` schema are as `avro/representation.ts` says.
 */
import * as Schema from "effect/Schema"
import { SerdeError, UnknownSchemaId } from "../errors.ts"
import type { SchemaText } from "../registry/registry.ts"
import type { Serde, SerdeBinding } from "../serde.ts"
import { type SubjectNameStrategy, topicName } from "../subject-name.ts"
import { SCHEMA_ID_BYTES, schemaIdOf, schemaIdPrefix, singleObjectPrefix, startsWith } from "../wire-format.ts"
import { type AvroCodec, avroCodec } from "./codec.ts"
import { fromEffect } from "./effect/from-effect.ts"
import { fingerprintOf } from "./fingerprint.ts"
import { parseAvro, parseAvroJson } from "./parse.ts"
import { parsingCanonicalForm, print } from "./print.ts"
import { project } from "./project.ts"
import { parseReferring } from "./references.ts"
import { type AvroType, isNamed } from "./schema.ts"

export interface AvroOptions {
  /** Under which subject the schema is registered. Default: `topicName`. */
  readonly subject?: SubjectNameStrategy
  /** Register the schema when it is new to the subject (default), or only look it up. */
  readonly register?: boolean
}

export interface AvroSerde<T> extends Serde<T> {
  /** The text of the schema, as it is registered. */
  readonly schema: string
  bind(binding: SerdeBinding): Promise<Serde<T>>
}

/** Values of an Effect schema as Avro. */
export function avro<T>(schema: Schema.Codec<T, any>, options?: AvroOptions): AvroSerde<T>
/** Values of a schema in Avro's own language: the JSON of an `.avsc` file, parsed or as text. */
export function avro<T = any>(schema: object | string, options?: AvroOptions): AvroSerde<T>
export function avro(schema: unknown, options: AvroOptions = {}): AvroSerde<any> {
  return Schema.isSchema(schema) ? ofEffect(schema, options) : ofAvsc(schema, options)
}

/** What a serde does between the user's values and Avro's. */
interface Shape {
  readonly name: string
  readonly type: AvroType
  readonly toAvro: (value: any) => unknown
  readonly fromAvro: (value: unknown) => unknown
}

function ofEffect(schema: Schema.Top, options: AvroOptions): AvroSerde<any> {
  const name = `avro(${schema.ast.annotations?.identifier ?? schema.ast._tag})`
  const { type, toAvro, fromAvro } = fromEffect(name, schema as Schema.Codec<any, any>)
  return unbound({ name, type, toAvro, fromAvro }, options)
}

function ofAvsc(schema: unknown, options: AvroOptions): AvroSerde<any> {
  const { type } = typeof schema === "string" ? parseAvro(schema) : parseAvroJson(schema)
  const same = (value: unknown) => value
  return unbound(
    { name: `avro(${isNamed(type) ? type.name : type.type})`, type, toAvro: same, fromAvro: same },
    options,
  )
}

function unbound(shape: Shape, options: AvroOptions): AvroSerde<any> {
  const { name, type, toAvro, fromAvro } = shape
  const codec = avroCodec(name, type)
  const schema = print(type)
  const prefix = singleObjectPrefix(fingerprintOf(type))
  return {
    name,
    schema,
    encode: (value) => codec.encode(toAvro(value), prefix),
    decode(bytes) {
      if (!startsWith(bytes, prefix)) throw new SerdeError(name, foreign(bytes))
      return fromAvro(codec.decode(bytes, prefix.length))
    },
    async bind({ registry, topic, isKey }) {
      const strategy = options.subject ?? topicName
      const subject = strategy({ topic, isKey, recordName: isNamed(type) ? type.name : undefined })
      const text: SchemaText = { schemaType: "AVRO", schema }
      const id = await (options.register === false ? registry.lookup(subject, text) : registry.register(subject, text))
      return bound(shape, codec, id, async (writerId) => {
        const writer = await registry.schemaById(writerId)
        if (writer.schemaType !== "AVRO") {
          throw new SerdeError(name, `the schema with id ${writerId} is ${writer.schemaType}, not AVRO`)
        }
        return (await parseReferring(registry, writer)).type
      })
    },
  }
}

const foreign = (bytes: Uint8Array): string =>
  bytes[0] === 0xc3 && bytes[1] === 0x01
    ? "written with another schema (its fingerprint differs); a schema registry would tell with which"
    : bytes[0] === 0
      ? "written with a schema registry, but this serde is not bound to one"
      : "not Avro's single-object encoding"

type Decoder = (bytes: Uint8Array) => unknown

function bound(
  { name, type, toAvro, fromAvro }: Shape,
  codec: AvroCodec,
  id: number,
  fetchWriter: (id: number) => Promise<AvroType>,
): Serde<any> {
  const prefix = schemaIdPrefix(id)
  const decoders = new Map<number, Decoder>([[id, (bytes) => fromAvro(codec.decode(bytes, SCHEMA_ID_BYTES))]])
  const resolve = async (writerId: number): Promise<void> => {
    decoders.set(writerId, decoderOf(await fetchWriter(writerId)))
  }
  const decoderOf = (writer: AvroType): Decoder => {
    const written = avroCodec(name, writer)
    const projection =
      parsingCanonicalForm(writer) === parsingCanonicalForm(type) ? undefined : project(name, type, writer)
    if (!projection) return (bytes) => fromAvro(written.decode(bytes, SCHEMA_ID_BYTES))
    return (bytes) => fromAvro(projection(written.decode(bytes, SCHEMA_ID_BYTES)))
  }
  return {
    name,
    encode: (value) => codec.encode(toAvro(value), prefix),
    decode(bytes) {
      const writerId = schemaIdOf(name, bytes)
      const decoder = decoders.get(writerId)
      if (!decoder) throw new UnknownSchemaId(writerId, () => resolve(writerId))
      return decoder(bytes)
    },
  }
}
