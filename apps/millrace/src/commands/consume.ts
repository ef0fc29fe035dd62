import { once } from "node:events"
import {
  type Consumer,
  type ConsumerRecord,
  type FetchedPartition,
  recordsOf,
  type TopicPartition,
  type TopicPartitionOffset,
} from "@millrace/client"
import { command, Failure, UsageError } from "../command.ts"
import { clusterOptions, jsonValuesOption, registryOption, withClient } from "../connection.ts"
import { oneLine } from "../fault.ts"
import { type Decoder, jsonOfRecord, jsonValue } from "../record-json.ts"
import { countOption, stopSignal } from "../serve.ts"

const POLL_MS = 500
/** Silence after which somebody asks whether the partitions can be read at all. */
const SILENCE_MS = 2_000
const NEW_LINE = Buffer.from("\n")
const TAB = Buffer.from("\t")
const NULL = Buffer.from("null")

export default command({
  name: "consume",
  summary: "Prints the records of a topic, and waits for more until interrupted.",
  positionals: "TOPIC",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    ...clusterOptions,
    from: { value: "WHERE", help: "beginning, end, or an offset; of a group, where it has none", default: "beginning" },
    partition: { value: "N", help: "only this partition" },
    group: { value: "GROUP", help: "read as a member of this group, and commit what was printed" },
    max: { value: "N", help: "stop after so many records" },
    "until-end": { help: "stop at the end that the topic had at the start" },
    uncommitted: { help: "also show records of open and aborted transactions" },
    timestamps: { help: "print times before values" },
    offsets: { help: "print partition@offset before values" },
    headers: { help: "print headers before values, as name=value,…" },
    keys: { help: "print keys before values" },
    registry: registryOption,
    json: { help: "print a JSON object a line, with all of these: what `millrace produce --json` reads" },
    "json-values": jsonValuesOption,
  },
  run: async ({ options, positionals }) => {
    const topic = positionals[0]!
    const from = whereOf(options.from)
    const most = options.max === undefined ? Infinity : countOption("max", options.max)
    const only = options.partition === undefined ? undefined : countOption("partition", options.partition)
    if (options.group !== undefined && (only !== undefined || typeof from === "number"))
      throw new UsageError("--group shares out partitions and keeps offsets: leave --partition and the offset out")
    if (options["json-values"] && (!options.json || options.registry !== undefined))
      throw new UsageError("--json-values goes with --json, and without --registry")
    const registered =
      options.registry === undefined
        ? undefined
        : new (await import("../registered.ts")).RegisteredReader(options.registry)
    const decode: Decoder = (bytes) => registered?.decode(bytes)
    const print = options.json
      ? (record: ConsumerRecord) => [
          Buffer.from(jsonOfRecord(record, decode, options["json-values"] ? jsonValue : decode)),
        ]
      : plain(options, decode)
    return withClient(options, async (client) => {
      const [description] = await client.admin().describeTopics([topic])
      if (description === undefined) throw new Failure(`there is no topic ${topic}; see: millrace topic list`)
      const parts = partitionsOf(topic, description.partitions.length, only)
      const consumer = client.consumer({
        isolation: options.uncommitted ? "read_uncommitted" : "read_committed",
        autoOffsetReset: from === "end" ? "latest" : "earliest",
        ...(options.group === undefined ? {} : { groupId: options.group }),
      })
      const ends = options["until-end"] ? await consumer.endOffsets(parts) : undefined
      if (options.group === undefined) await assign(consumer, parts, from)
      else consumer.subscribe([topic])
      let stopped = false
      const stopping = stopSignal().then(() => void (stopped = true))
      let count = 0
      let heardAt = performance.now()
      while (!stopped && count < most && !(ends && isAtEnd(consumer, ends))) {
        const printed: TopicPartitionOffset[] = []
        const polled = await consumer.poll(POLL_MS)
        if (polled.length > 0) heardAt = performance.now()
        else if (performance.now() - heardAt > SILENCE_MS) {
          // A consumer waits faults out. Who waits for an end, or for records, should hear of them.
          const asked = consumer.endOffsets(parts).then(
            () => {},
            (error: unknown) => {
              if (stopped) return
              if (ends !== undefined || !(error instanceof Error)) throw error
              console.error(`millrace: ${topic} cannot be read: ${oneLine(error.message)}; waiting`)
            },
          )
          await Promise.race([asked, stopping])
          heardAt = performance.now()
        }
        for (const fetched of polled) {
          const chunks: Uint8Array[] = []
          if (registered !== undefined)
            for (const { key, value } of recordsOf(fetched)) {
              await registered.learn(key)
              await registered.learn(value)
            }
          const next = take(fetched, most - count, (record) => {
            count++
            chunks.push(...print(record), NEW_LINE)
          })
          if (chunks.length > 0 && !process.stdout.write(Buffer.concat(chunks))) await once(process.stdout, "drain")
          if (next !== undefined) printed.push(next)
        }
        if (options.group !== undefined) await consumer.commit(printed)
      }
      await consumer.close()
      return 0
    })
  },
})

/** Prints up to `most` records; answers the position behind the last one printed, undefined when there is none. */
function take(
  fetched: FetchedPartition,
  most: number,
  print: (record: ConsumerRecord) => void,
): TopicPartitionOffset | undefined {
  const { topic, partition, leaderEpoch } = fetched
  let count = 0
  let offset = fetched.startOffset
  for (const record of recordsOf(fetched)) {
    if (count === most) return count === 0 ? undefined : { topic, partition, offset }
    print(record)
    count++
    offset = record.offset + 1
  }
  return { topic, partition, offset: fetched.nextOffset, leaderEpoch }
}

/** Every partition that is ours has come to the end it had. */
function isAtEnd(consumer: Consumer, ends: readonly (TopicPartition & { readonly offset: number })[]): boolean {
  const assigned = new Set(consumer.assignment().map(({ partition }) => partition))
  const ours = ends.filter(({ partition }) => assigned.has(partition))
  return ours.length > 0 && ours.every((end) => (consumer.position(end) ?? -1) >= end.offset)
}

async function assign(consumer: Consumer, parts: TopicPartition[], from: number | string): Promise<void> {
  consumer.assign(parts)
  if (typeof from !== "number") return
  const [first, next] = [await consumer.beginningOffsets(parts), await consumer.endOffsets(parts)]
  const last = Math.max(...next.map(({ offset }) => offset))
  if (parts.length > 1 && from > last)
    throw new Failure(
      `offset ${from} is beyond the end of all partitions of ${parts[0]!.topic}: the longest ends at ${last}`,
    )
  for (const [index, part] of parts.entries()) {
    const [low, high] = [first[index]!.offset, next[index]!.offset]
    if (parts.length === 1 && (from < low || from > high))
      throw new Failure(`${part.topic}-${part.partition} goes from offset ${low} to ${high}, ${from} is outside`)
    consumer.seek(part, Math.min(Math.max(from, low), high))
  }
}

function whereOf(from: string): number | "beginning" | "end" {
  if (from === "beginning" || from === "end") return from
  if (!/^\d{1,15}$/.test(from)) throw new UsageError(`--from ${from}: expected beginning, end or an offset`)
  return Number(from)
}

function partitionsOf(topic: string, count: number, only: number | undefined): TopicPartition[] {
  if (only === undefined) return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  if (only >= count) throw new Failure(`${topic} has partitions 0 to ${count - 1}, not ${only}`)
  return [{ topic, partition: only }]
}

/** Parts of a record that may stand before its value, in this order. */
const PARTS = {
  timestamps: ({ timestamp }: ConsumerRecord) => Buffer.from(new Date(timestamp).toISOString()),
  offsets: ({ partition, offset }: ConsumerRecord) => Buffer.from(`${partition}@${offset}`),
  headers: ({ headers }: ConsumerRecord) => Buffer.from(headers.length === 0 ? "-" : headers.map(headerText).join(",")),
  keys: ({ key }: ConsumerRecord, shown: Shown) => shown(key),
} as const

type Shown = (bytes: Uint8Array | null) => Uint8Array

function plain(options: Readonly<Record<keyof typeof PARTS, boolean>>, decode: Decoder) {
  const parts = (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter((name) => options[name])
  const shown: Shown = (bytes) => {
    const decoded = decode(bytes)
    return decoded === undefined ? (bytes ?? NULL) : Buffer.from(JSON.stringify(decoded))
  }
  return (record: ConsumerRecord): Uint8Array[] => [
    ...parts.flatMap((name) => [PARTS[name](record, shown), TAB]),
    shown(record.value),
  ]
}

/** On one line, whatever is in it. */
const headerText = ({ key, value }: ConsumerRecord["headers"][number]): string =>
  value === null
    ? `${key}=null`
    : `${key}=${Buffer.from(value)
        .toString()
        .replaceAll(/[\n\r\t]/g, escaped)}`

const escaped = (character: string): string => JSON.stringify(character).slice(1, -1)
