/**
 * Keys and values whose schemas are in a registry, as JSON: what `consume --registry` prints, and `produce --registry` reads.
 *
 * Avro's values look as @millrace/schema has them (avro/representation.ts), bytes among them as `{"base64":"…"}`. What does
 * not begin with the id of a schema that the registry has is shown as it is.
 */
import { json, RegistryClient, RegistryError, RegistryUnreachable, type SchemaText } from "@millrace/schema"
import { type AvroCodec, avroCodec } from "@millrace/schema/avro/codec"
import { parseReferring } from "@millrace/schema/avro/references"
import { SCHEMA_ID_BYTES, schemaIdPrefix } from "@millrace/schema/wire-format"
import { Failure } from "./command.ts"
import type { Encoder } from "./record-json.ts"

const NO_SUCH_SCHEMA = 404

type Decoder = (bytes: Uint8Array) => unknown

export class RegisteredReader {
  readonly #registry: RegistryClient
  /** By schema id; null where the registry does not have it. */
  readonly #decoders = new Map<number, Decoder | null>()

  constructor(url: string) {
    this.#registry = new RegistryClient({ url })
  }

  /** Fetches the schema that the bytes name; to be awaited before they are decoded. */
  async learn(bytes: Uint8Array | null): Promise<void> {
    const id = idOf(bytes)
    if (id === undefined || this.#decoders.has(id)) return
    try {
      const schema = await this.#registry.schemaById(id)
      this.#decoders.set(id, await decoderOf(this.#registry, `schema ${id}`, schema))
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status !== NO_SUCH_SCHEMA) throw told(error)
      this.#decoders.set(id, null)
    }
  }

  /** The value as JSON would have it; undefined for bytes to be shown as they are. */
  decode(bytes: Uint8Array | null): unknown {
    const id = idOf(bytes)
    const decoder = id === undefined ? undefined : this.#decoders.get(id)
    return decoder?.(bytes!)
  }
}

/** Writes by the latest schema of a subject; undefined where the registry has no such subject. */
export async function encoderOf(url: string, subject: string): Promise<Encoder | undefined> {
  const registry = new RegistryClient({ url })
  try {
    const schema = await registry.schemaByVersion(subject, "latest")
    const prefix = schemaIdPrefix(schema.id)
    if (schema.schemaType === "JSON") {
      const serde = json<unknown>(JSON.parse(schema.schema))
      return (value) => Buffer.concat([prefix, serde.encode(value)])
    }
    const codec = await avroOf(registry, subject, schema)
    return (value) => codec.encode(withBytes(value), prefix)
  } catch (error) {
    if (error instanceof RegistryError && error.status === NO_SUCH_SCHEMA) return undefined
    throw told(error)
  }
}

async function decoderOf(registry: RegistryClient, name: string, schema: SchemaText): Promise<Decoder> {
  if (schema.schemaType === "JSON") {
    return (bytes) => JSON.parse(Buffer.from(bytes.subarray(SCHEMA_ID_BYTES)).toString("utf8"))
  }
  const codec = await avroOf(registry, name, schema)
  return (bytes) => withoutBytes(codec.decode(bytes, SCHEMA_ID_BYTES))
}

async function avroOf(registry: RegistryClient, name: string, schema: SchemaText): Promise<AvroCodec> {
  if (schema.schemaType === "AVRO") return avroCodec(name, (await parseReferring(registry, schema)).type)
  throw new Failure(`${name} is a ${schema.schemaType} schema: only Avro and JSON Schema are known here`)
}

function idOf(bytes: Uint8Array | null): number | undefined {
  if (bytes === null || bytes.length < SCHEMA_ID_BYTES || bytes[0] !== 0) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
}

const told = (error: unknown): unknown =>
  error instanceof RegistryUnreachable ? new Failure(`--registry: ${error.message}`, { cause: error }) : error

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Bytes become what JSON can hold. */
function withoutBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") }
  return mapped(value, withoutBytes)
}

function withBytes(value: unknown): unknown {
  if (isObject(value) && typeof value["base64"] === "string" && Object.keys(value).length === 1)
    return Buffer.from(value["base64"], "base64")
  return mapped(value, withBytes)
}

function mapped(value: unknown, f: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(f)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, f(part)])) : value
}
