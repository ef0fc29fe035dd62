import type { Producer } from "@millrace/client"
import { command, Failure, UsageError } from "../command.ts"
import { clusterOptions, REACH_TIMEOUT_MS, withClient } from "../connection.ts"
import { linesOf } from "../lines.ts"
import { countOption } from "../serve.ts"

const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const
/** Lines between two waits for acknowledgements: how far a fault may be from the line that met it. */
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
    partition: { value: "N", help: "write to this partition; the key decides without it" },
    compression: { value: "CODEC", help: `one of ${COMPRESSIONS.join(", ")}`, default: "none" },
    "null-marker": {
      value: "TEXT",
      help: "a value that reads like this is written as null (a tombstone)",
      mayBeEmpty: true,
    },
  },
  run: ({ options, positionals }) => {
    const topic = positionals[0]!
    const compression = COMPRESSIONS.find((one) => one === options.compression)
    if (compression === undefined)
      throw new UsageError(`--compression ${options.compression}: expected one of ${COMPRESSIONS.join(", ")}`)
    const partition = options.partition === undefined ? ANY_PARTITION : countOption("partition", options.partition)
    const recordOf = recordReader(options["key-separator"], options["null-marker"])
    return withClient(options, async (client) => {
      const [description] = await client.admin().describeTopics([topic])
      const partitions = description?.partitions.length
      if (partitions !== undefined && partition >= partitions)
        throw new Failure(`${topic} has partitions 0 to ${partitions - 1}, not ${partition}`)
      if (process.stdin.isTTY) console.error(`one record a line to ${topic}; end with Ctrl-D`)
      const producer = client.producer({ compression, deliveryTimeoutMs: REACH_TIMEOUT_MS })
      let count = 0
      for await (const line of linesOf(process.stdin)) {
        const record = recordOf(line)
        if (record === undefined) {
          await acknowledged(producer, topic, count)
          throw new Failure(
            `line ${count + 1} has no key separator ${JSON.stringify(options["key-separator"])}: ${show(line)}; ` +
              "the lines before it are written",
          )
        }
        const full = !producer.append(topic, partition, Date.now(), record.key, record.value)
        if (++count % FLUSH_EVERY_LINES === 0) await acknowledged(producer, topic, count)
        else if (full) await producer.waitForSpace()
      }
      await acknowledged(producer, topic, count)
      console.error(`wrote ${count} ${count === 1 ? "record" : "records"} to ${topic}`)
      return 0
    })
  },
})

interface LineRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** How a line becomes a record; undefined for a line without the separator. */
function recordReader(
  separator: string | undefined,
  nullMarker: string | undefined,
): (line: Uint8Array) => LineRecord | undefined {
  const between = separator === undefined ? undefined : Buffer.from(separator)
  const marker = nullMarker === undefined ? undefined : Buffer.from(nullMarker)
  const valueOf = (bytes: Uint8Array) => (marker?.equals(bytes) ? null : bytes)
  return (line) => {
    if (between === undefined) return { key: null, value: valueOf(line) }
    const at = Buffer.from(line.buffer, line.byteOffset, line.byteLength).indexOf(between)
    if (at < 0) return undefined
    return { key: line.subarray(0, at), value: valueOf(line.subarray(at + between.length)) }
  }
}

/** Waits for what was appended; a fault says how far it surely came. */
async function acknowledged(producer: Producer, topic: string, count: number): Promise<void> {
  try {
    await producer.flush()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const sure = Math.floor(Math.max(0, count - 1) / FLUSH_EVERY_LINES) * FLUSH_EVERY_LINES
    const written = sure === 0 ? "no line is" : `only the first ${sure} lines are`
    throw new Failure(`cannot write to ${topic}: ${error.message}; ${written} surely written`, { cause: error })
  }
}

function show(line: Uint8Array): string {
  const text = Buffer.from(line.subarray(0, SHOWN_MAX)).toString("utf8")
  return line.length > SHOWN_MAX ? `${text}…` : text
}
