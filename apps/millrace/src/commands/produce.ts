import { createInterface } from "node:readline"
import { command, Failure, UsageError } from "../command.ts"
import { brokersOption, withClient } from "../connection.ts"

const encoder = new TextEncoder()
const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const
/** Lines between two waits for acknowledgements: bounds memory when standard input is faster than the broker. */
const FLUSH_EVERY_LINES = 10_000
const ANY_PARTITION = -1

export default command({
  name: "produce",
  summary: "Writes each line of standard input as a record, and waits until all are acknowledged.",
  positionals: "TOPIC",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    brokers: brokersOption,
    "key-separator": {
      value: "TEXT",
      help: "what stands before it in a line is the key; lines have no key without it",
    },
    partition: { value: "N", help: "write to this partition; the key decides without it" },
    compression: { value: "CODEC", help: `one of ${COMPRESSIONS.join(", ")}`, default: "none" },
    "null-marker": { value: "TEXT", help: "a value that reads like this is written as null (a tombstone)" },
  },
  run: ({ options, positionals }) =>
    withClient(options.brokers, async (client) => {
      const topic = positionals[0]!
      const compression = COMPRESSIONS.find((one) => one === options.compression)
      if (compression === undefined)
        throw new UsageError(`--compression ${options.compression}: expected one of ${COMPRESSIONS.join(", ")}`)
      if (options.partition !== undefined && !/^\d{1,9}$/.test(options.partition)) {
        throw new UsageError(`--partition ${options.partition}: expected a whole number`)
      }
      const partition = options.partition === undefined ? ANY_PARTITION : Number(options.partition)
      const separator = options["key-separator"]
      const producer = client.producer({ compression })
      let count = 0
      for await (const line of createInterface({ input: process.stdin })) {
        const at = separator === undefined ? -1 : line.indexOf(separator)
        if (separator !== undefined && at < 0)
          throw new Failure(`line ${count + 1} has no key separator ${JSON.stringify(separator)}: ${line.slice(0, 60)}`)
        const key = separator === undefined ? null : encoder.encode(line.slice(0, at))
        const text = separator === undefined ? line : line.slice(at + separator.length)
        const value = text === options["null-marker"] ? null : encoder.encode(text)
        producer.append(topic, partition, Date.now(), key, value)
        if (++count % FLUSH_EVERY_LINES === 0) await producer.flush()
      }
      await producer.flush()
      console.error(`wrote ${count} ${count === 1 ? "record" : "records"} to ${topic}`)
      return 0
    }),
})
