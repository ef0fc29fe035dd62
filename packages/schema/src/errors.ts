/**
 * What can go wrong between a value and its bytes. Each error names the serde or schema and says why.
 */

/** A value that its serde does not take, or bytes that are not what the serde writes. */
export class SerdeError extends Error {
  override readonly name: string = "SerdeError"
  readonly serde: string
  constructor(serde: string, message: string, cause?: unknown) {
    super(`${serde}: ${message}`, { cause })
    this.serde = serde
  }
}

/**
 * Bytes written with a schema that this process has not seen yet. Not a fault of the data: await `resolve()`, which
 * asks the registry, then decode again. When the registry does not know the id, `resolve` rejects.
 */
export class UnknownSchemaId extends Error {
  override readonly name = "UnknownSchemaId"
  readonly id: number
  readonly resolve: () => Promise<void>
  constructor(id: number, resolve: () => Promise<void>) {
    super(`schema id ${id} has not been fetched from the registry yet`)
    this.id = id
    this.resolve = resolve
  }
}

/** A schema text that is not a schema. `path` says where in it. */
export class SchemaParseError extends Error {
  override readonly name = "SchemaParseError"
  readonly path: string
  constructor(path: string, reason: string) {
    super(path === "" ? reason : `${reason}, at ${path}`)
    this.path = path
  }
}

/** A type of one schema language that has no counterpart in another: an Effect schema that Avro cannot say. */
export class UnsupportedSchema extends Error {
  override readonly name = "UnsupportedSchema"
  readonly path: string
  constructor(path: string, reason: string) {
    super(path === "" ? reason : `${path}: ${reason}`)
    this.path = path
  }
}
