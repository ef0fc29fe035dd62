import type { Producer } from "@millrace/client"
import { command, Failure, UsageError } from "../command.ts"
import { clusterOptions, jsonValuesOption, REACH_TIMEOUT_MS, registryOption, withClient } from "../connection.ts"
import { linesOf } from "../lines.ts"
import {
  type Encoders,
  type GivenRecord,
  LineFault,
  recordOfJson,
  TIME_HELP,
  timeOf,
  valueOfJson,
} from "../record-json.ts"
import { countOption } from "../serve.ts"

const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const
/** Lines between two waits for acknowledgements: how far it may read on behind one that fails. */
const FLUSH_EVERY_LINES = 10_000
const ANY_PARTITION = -1
const SHOWN_MAX = 60

export default command({
  name: "produce",
  summary: "Writes each line of standard input as a record, and waits until all are acknowledged.",
  positionals: "TOPIC",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    ...clusterOptions,
    "key-separator": {
      value: "TEXT",
      help: "what stands before it in a line is the key; lines have no key without it",
    },
    key: { value: "TEXT", help: "the key of all lines", mayBeEmpty: true },
    "null-marker": {
      value: "TEXT",
      help: "a value that reads like this is written as null (a tombstone)",
      mayBeEmpty: true,
    },
    json: {
      help: 'a line is a record as `consume --json` prints it: {"key":…,"value":…,"timestamp":…,"headers":{…}}',
    },
    "json-values": jsonValuesOption,
    registry: registryOption,
    timestamp: { value: "TIME", help: "the records' time, in milliseconds or as a date; now without it" },
    header: { value: "NAME=VALUE", help: "a header of all records", multiple: true },
    partition: { value: "N", help: "write to this partition; the key decides without it" },
    compression: { value: "CODEC", help: `one of ${COMPRESSIONS.join(", ")}`, default: "none" },
  },
  run: async ({ options, positionals }) => {
    const topic = positionals[0]!
    const compression = COMPRESSIONS.find((one) => one === options.compression)
    if (compression === undefined)
      throw new UsageError(`--compression ${options.compression}: expected one of ${COMPRESSIONS.join(", ")}`)
    const partition = options.partition === undefined ? ANY_PARTITION : countOption("partition", options.partition)
    const timestamp = options.timestamp === undefined ? undefined : timeOf(options.timestamp)
    if (timestamp === null) throw new UsageError(`--timestamp ${options.timestamp}: ${TIME_HELP}`)
    const headers = options.header.map(headerOption)
    if (options["json-values"] && (!options.json || options.registry !== undefined))
      throw new UsageError("--json-values goes with --json, and without --registry")
    const encoders = await encodersOf(topic, options.registry)
    const recordOf = recordReader(options, { ...encoders, jsonValues: options["json-values"] })
    return withClient(options, async (client) => {
      const [description] = await client.admin().describeTopics([topic])
      const partitions = description?.partitions.length
      if (partitions !== undefined && partition >= partitions)
        throw new Failure(`${topic} has partitions 0 to ${partitions - 1}, not ${partition}`)
      if (process.stdin.isTTY) console.error(`one record a line to ${topic}; end with Ctrl-D`)
      const producer = client.producer({ compression, deliveryTimeoutMs: REACH_TIMEOUT_MS })
      const lines = new Lines(producer, topic)
      for await (const line of linesOf(process.stdin)) {
        let record: GivenRecord
        try {
          record = recordOf(line)
        } catch (fault) {
          if (!(fault instanceof LineFault)) throw fault
          await lines.acknowledged()
          const what = `line ${lines.count + 1} ${fault.message}: ${show(line)}`
          throw new Failure(`${what}; the lines before it are written`, { cause: fault })
        }
        const time = record.timestamp ?? timestamp ?? Date.now()
        const all = headers.length === 0 ? record.headers : [...record.headers, ...headers]
        const hasRoom = lines.append(partition, time, record, all)
        if (lines.count % FLUSH_EVERY_LINES === 0 || lines.hasFailed) await lines.acknowledged()
        else if (!hasRoom) await producer.waitForSpace()
      }
      await lines.acknowledged()
      const { count } = lines
      const where = partitions === undefined && count > 0 ? `${topic}, which did not exist before` : topic
      console.error(`wrote ${count} ${count === 1 ? "record" : "records"} to ${where}`)
      return 0
    })
  },
})

const NO_HEADERS: GivenRecord["headers"] = []

interface LineOptions {
  readonly "key-separator": string | undefined
  readonly "null-marker": string | undefined
  readonly key: string | undefined
  readonly json: boolean
}

/** How a line becomes a record. */
function recordReader(options: LineOptions, encoders: Encoders): (line: Uint8Array) => GivenRecord {
  const { "key-separator": separator, "null-marker": nullMarker } = options
  if (options.json) {
    const other = (["key-separator", "key", "null-marker"] as const).find((name) => options[name] !== undefined)
    if (other !== undefined) throw new UsageError(`--json says of each record what --${other} would: leave it out`)
    return (line) => recordOfJson(line, encoders)
  }
  if (separator !== undefined && options.key !== undefined)
    throw new UsageError("--key is the key of all lines, --key-separator finds it in each: choose one")
  const between = separator === undefined ? undefined : Buffer.from(separator)
  const marker = nullMarker === undefined ? undefined : Buffer.from(nullMarker)
  const key = options.key === undefined ? null : Buffer.from(options.key)
  const { value: encode } = encoders
  const valueOf = (bytes: Uint8Array) => {
    if (marker?.equals(bytes)) return null
    return encode === undefined ? bytes : valueOfJson(bytes, encode)
  }
  return (line) => {
    if (between === undefined) return { key, value: valueOf(line), headers: NO_HEADERS }
    const at = Buffer.from(line.buffer, line.byteOffset, line.byteLength).indexOf(between)
    if (at < 0) throw new LineFault(`has no key separator ${JSON.stringify(separator)}`)
    return { key: line.subarray(0, at), value: valueOf(line.subarray(at + between.length)), headers: NO_HEADERS }
  }
}

/** The latest schemas of the topic's subjects; keys may be without one. */
async function encodersOf(topic: string, url: string | undefined): Promise<Encoders> {
  if (url === undefined) return {}
  const { encoderOf } = await import("../registered.ts")
  const [key, value] = [await encoderOf(url, `${topic}-key`), await encoderOf(url, `${topic}-value`)]
  if (value !== undefined) return { key, value }
  const start = "start a pipeline that reads or writes the topic, or register a schema"
  throw new Failure(`the registry at ${url} has no subject ${topic}-value: ${start}`)
}

function headerOption(given: string): GivenRecord["headers"][number] {
  const at = given.indexOf("=")
  if (at <= 0) throw new UsageError(`--header ${given}: expected NAME=VALUE`)
  return { key: given.slice(0, at), value: given.slice(at + 1) }
}

/** What became of the lines: all are acknowledged, or the first that is not is named. */
class Lines {
  readonly #producer: Producer
  readonly #topic: string
  #acknowledged = 0
  #failed: { readonly line: number; readonly error: unknown } | undefined
  count = 0

  constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
  }

  get hasFailed(): boolean {
    return this.#failed !== undefined
  }

  /** Answers whether there is room for more. */
  append(partition: number, timestamp: number, { key, value }: GivenRecord, headers: GivenRecord["headers"]): boolean {
    const line = ++this.count
    return this.#producer.append(this.#topic, partition, timestamp, key, value, headers, {
      resolve: this.#onAcknowledged,
      reject: (error) => {
        if (this.#failed === undefined || line < this.#failed.line) this.#failed = { line, error }
      },
    })
  }

  readonly #onAcknowledged = () => void this.#acknowledged++

  async acknowledged(): Promise<void> {
    // What failed is told by its line.
    await this.#producer.flush().catch(() => {})
    if (this.#failed === undefined) return
    const { line, error } = this.#failed
    if (!(error instanceof Error)) throw error
    const told = `${this.#acknowledged} of the ${this.count} lines read are written`
    throw new Failure(`cannot write line ${line} to ${this.#topic}: ${error.message}; ${told}`, { cause: error })
  }
}

function show(line: Uint8Array): string {
  const text = Buffer.from(line.subarray(0, SHOWN_MAX)).toString("utf8")
  return line.length > SHOWN_MAX ? `${text}…` : text
}
