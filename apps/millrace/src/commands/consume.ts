import { type ConsumerRecord, recordsOf, type TopicPartition } from "@millrace/client"
import { command, Failure, UsageError } from "../command.ts"
import { brokersOption, withClient } from "../connection.ts"
import { stopSignal } from "../serve.ts"
import { dim } from "../terminal.ts"

const POLL_MS = 500

export default command({
  name: "consume",
  summary: "Prints the records of a topic, and waits for more until interrupted.",
  positionals: "TOPIC",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    brokers: brokersOption,
    from: { value: "WHERE", help: "beginning, end, or an offset", default: "beginning" },
    partition: { value: "N", help: "only this partition" },
    group: { value: "GROUP", help: "read as a member of this group, and commit" },
    max: { value: "N", help: "stop after so many records" },
    "until-end": { help: "stop at the end that the topic had at the start" },
    uncommitted: { help: "also show records of open and aborted transactions" },
    keys: { help: "print keys before values" },
    json: { help: "print a JSON object a line, with key, value, offset, time and headers" },
  },
  run: ({ options, positionals }) =>
    withClient(options.brokers, async (client) => {
      const topic = positionals[0]!
      const most = options.max === undefined ? Infinity : wholeNumber("max", options.max)
      const [description] = await client.admin().describeTopics([topic])
      if (description === undefined) throw new Failure(`there is no topic ${topic}`)
      const parts = partitionsOf(topic, description.partitions.length, options.partition)
      const consumer = client.consumer({
        isolation: options.uncommitted ? "read_uncommitted" : "read_committed",
        autoOffsetReset: options.from === "end" ? "latest" : "earliest",
        ...(options.group === undefined ? {} : { groupId: options.group }),
      })
      const ends = options["until-end"] ? await consumer.endOffsets(parts) : undefined
      if (options.group === undefined) {
        consumer.assign(parts)
        if (/^\d+$/.test(options.from)) for (const part of parts) consumer.seek(part, Number(options.from))
        else if (options.from !== "beginning" && options.from !== "end") {
          throw new UsageError(`--from ${options.from}: expected beginning, end or an offset`)
        }
      } else {
        consumer.subscribe([topic])
      }
      let stopped = false
      void stopSignal().then(() => (stopped = true))
      const print = options.json ? printJson : options.keys ? printWithKey : printValue
      let count = 0
      const atEnd = () => ends !== undefined && ends.every((end) => (consumer.position(end) ?? 0) >= end.offset)
      while (!stopped && count < most && !atEnd()) {
        for (const fetched of await consumer.poll(POLL_MS)) {
          for (const record of recordsOf(fetched)) if (count < most && ++count) print(record)
        }
        if (options.group !== undefined && consumer.assignment().length > 0) await consumer.commit()
      }
      await consumer.close()
      return 0
    }),
})

function partitionsOf(topic: string, count: number, only: string | undefined): TopicPartition[] {
  if (only === undefined) return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  const partition = wholeNumber("partition", only)
  if (partition >= count) throw new Failure(`${topic} has partitions 0 to ${count - 1}, not ${partition}`)
  return [{ topic, partition }]
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${option} ${text}: expected a whole number`)
  return Number(text)
}

const text = (bytes: Uint8Array | null): string => (bytes === null ? "null" : Buffer.from(bytes).toString("utf8"))

const printValue = (record: ConsumerRecord): void => console.log(text(record.value))

const printWithKey = (record: ConsumerRecord): void => console.log(`${dim(text(record.key))}\t${text(record.value)}`)

function printJson(record: ConsumerRecord): void {
  const { topic, partition, offset, timestamp } = record
  const headers = Object.fromEntries(record.headers.map(({ key, value }) => [key, value === null ? null : text(value)]))
  const [key, value] = [record.key, record.value].map((bytes) => (bytes === null ? null : text(bytes)))
  console.log(JSON.stringify({ topic, partition, offset, timestamp, key, value, headers }))
}
