/**
 * What a serde needs of a schema registry. `RegistryClient` speaks to one over HTTP; tests and the registry itself may
 * give another implementation.
 */
export type SchemaType = "AVRO" | "JSON" | "PROTOBUF"

export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema as a registry stores it: its text, and what the text refers to. */
export interface SchemaText {
  readonly schemaType: SchemaType
  readonly schema: string
  readonly references?: readonly SchemaReference[]
}

export interface Registry {
  /** The id of a schema under a subject, registering it when it is new there. Rejects when it is not compatible. */
  register(subject: string, schema: SchemaText): Promise<number>
  /** The id of a schema that is registered under a subject already. Rejects when it is not. */
  lookup(subject: string, schema: SchemaText): Promise<number>
  /** The schema with an id, references resolved by `referenced`. */
  schemaById(id: number): Promise<SchemaText>
  /** The schema of one version of a subject: what a reference points to. */
  schemaByVersion(
    subject: string,
    version: number | "latest",
  ): Promise<SchemaText & { readonly id: number; readonly version: number }>
}
