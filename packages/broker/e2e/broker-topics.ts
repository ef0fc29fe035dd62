/** Topics of scenes, and what is asked of their partitions. */
import type { Api } from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { Produce } from "@millrace/protocol/messages/produce"
import { RecordBatchBuilder, type RecordBatchOptions } from "@millrace/protocol/record/builder"
import { allApis } from "../src/api/all.ts"
import { advertisedRange } from "../src/api/registry.ts"
import { bytes } from "./oracle.ts"
import { errorsOf, type Side } from "./side.ts"

/** All versions of an API that we serve, or those from one on. */
export function versionsOf(api: Pick<Api, "key" | "minVersion">, from = 0): number[] {
  const { maxVersion } = advertisedRange(allApis().handlers.get(api.key)!)
  const first = Math.max(from, api.minVersion)
  return Array.from({ length: maxVersion - first + 1 }, (_, index) => first + index)
}

/** Creates a topic and waits until its partitions are served; answers its id. */
export async function create(
  side: Side,
  name: string,
  partitions = 1,
  configs: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { topics } = await side.askSilently(CreateTopics, 7, {
    topics: [
      {
        ...{ name, numPartitions: partitions, replicationFactor: 1, assignments: [] },
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 10_000,
  })
  if (topics[0]!.errorCode !== 0) throw new Error(`${name} was not created: ${topics[0]!.errorCode}`)
  for (;;) {
    const all = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    const answer = await side.askSilently(ListOffsets, 7, {
      ...{ replicaId: -1, isolationLevel: 0 },
      topics: [{ name, partitions: all }],
    })
    if (errorsOf(answer).every((code) => code === 0)) return topics[0]!.topicId
  }
}

export async function topicId(side: Side, name: string): Promise<string> {
  const { topics } = await side.askSilently(Metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
  return topics[0]!.topicId
}

/** A time that both sides are given. */
export const TIME = Date.now() - 60_000

export interface TestRecord {
  readonly key?: string | null
  readonly value?: string | null
  readonly timestamp?: number
}

/** One batch; a text is a record's value. */
export function batch(records: readonly (string | TestRecord)[], options: RecordBatchOptions = {}): Uint8Array {
  const builder = new RecordBatchBuilder(options)
  for (const [index, record] of records.entries()) {
    const {
      key = null,
      value = null,
      timestamp = TIME + index,
    } = typeof record === "string" ? { value: record } : record
    builder.append(timestamp, key === null ? null : bytes(key), value === null ? null : bytes(value))
  }
  return builder.build()
}

export interface ProduceOptions {
  readonly partition?: number
  readonly version?: number
  readonly acks?: number
  readonly transactionalId?: string | null
  readonly topicId?: string
}

const VERSION_TOPIC_IDS = 13

/** Produces one batch to one partition, and notes the answer. */
export function produce(side: Side, topic: string, records: Uint8Array | null, options: ProduceOptions = {}) {
  const { partition = 0, version = 12, acks = -1, transactionalId = null } = options
  const named = version >= VERSION_TOPIC_IDS ? { topicId: options.topicId } : { name: topic }
  return side.tell(Produce, version, {
    ...{ acks, timeoutMs: 5000, transactionalId },
    topicData: [{ ...named, partitionData: [{ index: partition, records }] }],
  } as never)
}
