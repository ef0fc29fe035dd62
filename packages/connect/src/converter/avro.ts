/**
 * Avro with schemas in a registry, in Confluent's wire format: a zero byte, the schema's id in four bytes, the value.
 *
 * Subjects are TOPIC-key and TOPIC-value. The first record with a new schema on a topic, and the first with an unknown id,
 * raise SchemaPending; after that both directions are synchronous look-ups.
 */
import { boolean, define, string } from "@millrace/config"
import type { Registry, SchemaReference } from "@millrace/schema"
import { type AvroCodec, avroCodec } from "@millrace/schema/avro/codec"
import { parseAvro, parseAvroJson } from "@millrace/schema/avro/parse"
import type { AvroNamedType, Names } from "@millrace/schema/avro/schema"
import { type ConnectSchema, DataError } from "../data/schema.ts"
import { avroToConnect, connectToAvro } from "./avro-schema.ts"
import { type Converter, type ConverterContext, defineConverter, SchemaPending } from "./converter.ts"

const MAGIC = 0
const PREFIX_BYTES = 5
/** Schema ids whose schemas are kept. */
const READERS_MAX = 1_000

const config = define({
  "schema.registry.url": string({
    default: null,
    doc: "The schema registry; the worker's schema.registry.url when it is not set.",
    importance: "HIGH",
  }),
  "auto.register.schemas": boolean({
    default: true,
    doc: "Register schemas that are new to their subject; otherwise they have to be there.",
  }),
})

export const avroConverter = defineConverter({
  className: "AvroConverter",
  aliases: ["io.confluent.connect.avro.AvroConverter"],
  version: "0.1.0",
  config,
  create: (values, context) =>
    new AvroConverter(context.registry(values["schema.registry.url"]), values["auto.register.schemas"], context),
})

interface Writer {
  readonly codec: AvroCodec
  readonly prefix: Uint8Array
}

interface Reader {
  readonly codec: AvroCodec
  readonly schema: ConnectSchema
}

class AvroConverter implements Converter {
  readonly #registry: Registry
  readonly #register: boolean
  readonly #isKey: boolean
  readonly #writers = new WeakMap<ConnectSchema, Map<string, Writer>>()
  readonly #readers = new Map<number, Reader>()

  constructor(registry: Registry, register: boolean, context: ConverterContext) {
    this.#registry = registry
    this.#register = register
    this.#isKey = context.isKey
  }

  fromConnect(topic: string, schema: ConnectSchema | undefined, value: unknown): Uint8Array | null {
    if (!schema) {
      if (value === null || value === undefined) return null
      throw new DataError("AvroConverter needs records with a schema")
    }
    if ((value === null || value === undefined) && schema.optional) return null
    const writer = this.#writers.get(schema)?.get(topic)
    if (!writer) throw this.#pendingWriter(topic, schema)
    return writer.codec.encode(value, writer.prefix)
  }

  toConnect(_topic: string, bytes: Uint8Array | null) {
    if (bytes === null) return { schema: undefined, value: null }
    if (bytes.length < PREFIX_BYTES || bytes[0] !== MAGIC) {
      throw new DataError("not Avro of a registry: a record starts with a zero byte and the schema's id")
    }
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
    const reader = this.#readers.get(id)
    if (!reader) throw this.#pendingReader(id)
    return { schema: reader.schema, value: reader.codec.decode(bytes, PREFIX_BYTES) }
  }

  #pendingWriter(topic: string, schema: ConnectSchema): SchemaPending {
    const subject = `${topic}-${this.#isKey ? "key" : "value"}`
    return new SchemaPending(`the schema for ${subject} is not registered yet`, async () => {
      // The root of an optional schema is written without its null: null records are tombstones.
      const json = connectToAvro({ ...schema, optional: false })
      const type = parseAvroJson(json).type
      const text = { schemaType: "AVRO" as const, schema: JSON.stringify(json) }
      const id = await (this.#register ? this.#registry.register(subject, text) : this.#registry.lookup(subject, text))
      const prefix = new Uint8Array(PREFIX_BYTES)
      new DataView(prefix.buffer).setUint32(1, id)
      const topics = this.#writers.get(schema) ?? new Map<string, Writer>()
      topics.set(topic, { codec: avroCodec(subject, type), prefix })
      this.#writers.set(schema, topics)
    })
  }

  #pendingReader(id: number): SchemaPending {
    return new SchemaPending(`schema ${id} has not been fetched yet`, async () => {
      const found = await this.#registry.schemaById(id)
      if (found.schemaType !== "AVRO") throw new DataError(`schema ${id} is ${found.schemaType}, not Avro`)
      const { type } = parseAvro(found.schema, { references: await this.#references(found.references ?? []) })
      if (this.#readers.size >= READERS_MAX) this.#readers.delete(this.#readers.keys().next().value!)
      this.#readers.set(id, { codec: avroCodec(`schema ${id}`, type), schema: avroToConnect(type) })
    })
  }

  async #references(references: readonly SchemaReference[]): Promise<Names> {
    const names = new Map<string, AvroNamedType>()
    for (const { subject, version } of references) {
      const found = await this.#registry.schemaByVersion(subject, version)
      const inner = await this.#references(found.references ?? [])
      const parsed = parseAvro(found.schema, { references: inner })
      for (const [name, type] of [...inner, ...parsed.names]) names.set(name, type)
    }
    return names
  }
}
