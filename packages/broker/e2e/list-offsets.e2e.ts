/** Offsets by time and epoch, and deleted records, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { DeleteRecords } from "@millrace/protocol/messages/delete-records"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { OffsetForLeaderEpoch } from "@millrace/protocol/messages/offset-for-leader-epoch"
import { batch, create, produce, TIME, versionsOf } from "./broker-topics.ts"
import { compare, differs, group, oracle } from "./oracle.ts"
import { readAll } from "./reading.ts"
import type { Side } from "./side.ts"

oracle()

const at = (...offsets: number[]) => batch(offsets.map((offset) => ({ value: `${offset}`, timestamp: TIME + offset })))

interface ListOptions {
  readonly version: number
  readonly isolationLevel?: number
  readonly epoch?: number
  readonly replicaId?: number
}

function list(side: Side, name: string, partitions: readonly (readonly [number, number])[], options: ListOptions) {
  const { version, isolationLevel = 0, epoch = -1, replicaId = -1 } = options
  return side.tell(ListOffsets, version, {
    ...{ replicaId, ...(version >= 2 ? { isolationLevel } : {}) },
    topics: [
      {
        name,
        partitions: partitions.map(([partitionIndex, timestamp]) => ({
          ...{ partitionIndex, timestamp },
          ...(version >= 4 ? { currentLeaderEpoch: epoch } : {}),
        })),
      },
    ],
  } as never)
}

compare("60, 61, 62, 63: all versions of ListOffsets", async (side) => {
  const topic = group("list")
  await create(side, topic, 2)
  // Times that go back, batches of several records, and a gap.
  for (const records of [at(0, 10), at(5, 6), at(20), at(20, 30, 25), at(8)]) await produce(side, topic, records)
  await produce(
    side,
    topic,
    batch(
      [
        { value: "x", timestamp: TIME + 40 },
        { value: "y", timestamp: TIME + 39 },
      ],
      { compression: "gzip" },
    ),
  )
  const times = [0, 1, 5, 6, 7, 10, 11, 19, 20, 21, 25, 26, 30, 31, 38, 39, 40, 41].map((time) => TIME + time)
  for (const version of versionsOf(ListOffsets)) {
    for (const timestamp of [-1, -2, -3, -4, -5, -6, -7, -100, 0, ...times]) {
      await list(side, topic, [[0, timestamp]], { version })
      await list(side, topic, [[1, timestamp]], { version })
    }
    for (const partition of [2, -1]) await list(side, topic, [[partition, -1]], { version })
    for (const epoch of [0, 1, 99, -2]) await list(side, topic, [[0, -1]], { version, epoch })
    for (const isolationLevel of [0, 1]) await list(side, topic, [[0, -1]], { version, isolationLevel })
    for (const replicaId of [-2, -3, 1, 2]) await list(side, topic, [[0, -1]], { version, replicaId })
    await list(side, group("absent"), [[0, -1]], { version })
    for (const name of ["", "a b", "x".repeat(250)]) await list(side, name, [[0, -1]], { version })
    await list(
      side,
      topic,
      [
        [0, -1],
        [0, -2],
        [1, -1],
      ],
      { version },
    )
    await list(side, topic, [], { version })
    await side.tell(ListOffsets, version, { replicaId: -1, isolationLevel: 0, topics: [] } as never)
    await side.tell(ListOffsets, version, {
      ...{ replicaId: -1, isolationLevel: 0 },
      topics: [
        { name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] },
        { name: topic, partitions: [{ partitionIndex: 1, timestamp: -1 }] },
      ],
    } as never)
  }
})

compare("61: times of a topic that is stamped, and of one that has no times", async (side) => {
  const [stamped, none] = [group("list-stamped"), group("list-none")]
  await create(side, stamped, 1, { "message.timestamp.type": "LogAppendTime" })
  await create(side, none)
  await produce(side, stamped, batch(["a", "b"]))
  await produce(
    side,
    none,
    batch([
      { value: "a", timestamp: -1 },
      { value: "b", timestamp: -1 },
    ]),
  )
  for (const timestamp of [-1, -2, 0, TIME, 2 ** 50]) await list(side, none, [[0, timestamp]], { version: 7 })
  const offsets: unknown[] = []
  for (const timestamp of [-1, -2, -3, 0, TIME - 1e9, 2 ** 50]) {
    const answer = await side.askSilently(ListOffsets, 7, {
      ...{ replicaId: -1, isolationLevel: 0 },
      topics: [{ name: stamped, partitions: [{ partitionIndex: 0, timestamp }] }],
    })
    offsets.push(answer.topics[0]!.partitions[0]!.offset)
  }
  side.note("offsets of stamped records", offsets)
})

/** Where the record with the greatest time is. */
async function greatest(side: Side, name: string, records: Uint8Array, deleted: number): Promise<number> {
  const topic = group(name)
  await create(side, topic)
  await produce(side, topic, records)
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: deleted }] }]
  await side.tell(DeleteRecords, 2, { topics, timeoutMs: 5000 })
  const answer = await list(side, topic, [[0, -3]], { version: 7 })
  return answer!.topics[0]!.partitions[0]!.offset
}

differs(
  "Kafka names a record that is deleted as the one with the greatest time",
  (side) => greatest(side, "greatest-deleted", at(1, 2, 3), 3),
  { ours: -1, kafkas: 2 },
)

differs(
  "Of records without a time Kafka says that the first one has the greatest",
  (side) => greatest(side, "greatest-none", at(-1 - TIME, -1 - TIME), 0),
  { ours: -1, kafkas: 0 },
)

compare("65: all versions of OffsetForLeaderEpoch", async (side) => {
  const topic = group("epochs")
  await create(side, topic, 2)
  await produce(side, topic, at(1, 2, 3))
  for (const version of versionsOf(OffsetForLeaderEpoch)) {
    const ask = (partition: number, leaderEpoch: number, currentLeaderEpoch = -1, name = topic, replicaId = -1) =>
      side.tell(OffsetForLeaderEpoch, version, {
        replicaId,
        topics: [{ topic: name, partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
      } as never)
    for (const epoch of [0, 1, 5, -1, -2]) await ask(0, epoch)
    await ask(1, 0)
    for (const current of [0, 1, 9, -2]) await ask(0, 0, current)
    for (const partition of [2, -1]) await ask(partition, 0)
    await ask(0, 0, -1, group("absent"))
    await ask(0, 0, -1, "a b")
    for (const replica of [-2, 1, 7]) await ask(0, 0, -1, topic, replica)
    await side.tell(OffsetForLeaderEpoch, version, { topics: [] } as never)
    await side.tell(OffsetForLeaderEpoch, version, { topics: [{ topic, partitions: [] }] } as never)
  }
})

compare("66, 72: all versions of DeleteRecords", async (side) => {
  await side.coordinator(group("any"), 0)
  for (const version of versionsOf(DeleteRecords)) {
    const topic = group(`delete-${version}`)
    await create(side, topic, 2)
    for (let round = 0; round < 3; round++) await produce(side, topic, at(1, 2, 3))
    const remove = (partitionIndex: number, offset: number, name = topic) =>
      side.tell(DeleteRecords, version, {
        topics: [{ name, partitions: [{ partitionIndex, offset }] }],
        timeoutMs: 5000,
      } as never)
    for (const offset of [0, 4, 2, 4, 10, -2, 2 ** 40]) await remove(0, offset)
    for (const [start, end] of [[-2, -1]])
      await list(
        side,
        topic,
        [
          [0, start!],
          [1, end!],
        ],
        { version: 7 },
      )
    await list(side, topic, [[0, TIME]], { version: 7 })
    for (const offset of [0, 3, 4, 5]) await readAll(side, topic, { offset })
    await produce(side, topic, at(4))
    await remove(0, -1)
    await list(side, topic, [[0, -2]], { version: 7 })
    await list(side, topic, [[0, -1]], { version: 7 })
    await readAll(side, topic, { offset: 9 })
    await readAll(side, topic, { offset: 10 })
    for (const partition of [2, -1]) await remove(partition, 0)
    await remove(1, 0)
    await remove(1, -1)
    await remove(0, 0, group("absent"))
    await remove(0, 0, "a b")
    await remove(0, 0, "__consumer_offsets")
    await side.tell(DeleteRecords, version, { topics: [], timeoutMs: 1000 } as never)
    await side.tell(DeleteRecords, version, { topics: [{ name: topic, partitions: [] }], timeoutMs: 1000 } as never)
  }
})

compare("66: a compacted topic keeps its records", async (side) => {
  const topic = group("delete-compacted")
  await create(side, topic, 1, { "cleanup.policy": "compact" })
  await produce(side, topic, batch([{ key: "k", value: "v" }]))
  await side.tell(DeleteRecords, 2, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 1 }] }],
    timeoutMs: 1000,
  })
})
