/** Produce, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { Produce } from "@millrace/protocol/messages/produce"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { COMPRESSIONS } from "@millrace/protocol/record/compression"
import { batch, create, produce, TIME, versionsOf } from "./broker-topics.ts"
import { bytes, compare, differs, group, oracle } from "./oracle.ts"
import { readAll } from "./reading.ts"
import type { Side } from "./side.ts"

oracle()

const DAY_MS = 86_400_000
const [UNKNOWN_SERVER_ERROR, CORRUPT_MESSAGE, INVALID_TIMESTAMP, INVALID_RECORD] = [-1, 2, 32, 87] as const
const ZERO = "AAAAAAAAAAAAAAAAAAAAAA"
const UNKNOWN_ID = "AbAAAAAAQACAAAAAAAAAAA"

/** The batch with a field of its header changed, its checksum right. */
function changed(of: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = Uint8Array.from(of)
  change(new DataView(copy.buffer, copy.byteOffset, copy.length))
  new RecordBatchView(copy).updateCrc()
  return copy
}

compare("12, 22: all versions of Produce, to topics that are there and that are not", async (side) => {
  const topic = group("produce")
  const topicId = await create(side, topic, 2)
  for (const version of versionsOf(Produce)) {
    for (const acks of [-1, 1]) await produce(side, topic, batch(["a", "b"]), { version, acks, topicId })
    await produce(side, topic, batch(["a"], { partitionLeaderEpoch: 7, baseOffset: 99 }), { version, topicId })
    await produce(side, topic, batch(["a"]), { version, topicId, partition: 7 })
    await produce(side, topic, batch(["a"]), { version, topicId, partition: -1 })
    await produce(side, group("absent"), batch(["a"]), { version, topicId: UNKNOWN_ID })
    for (const acks of [2, -2]) await produce(side, topic, batch(["a"]), { version, acks, topicId })
    await side.tell(Produce, version, { acks: -1, timeoutMs: 1000, topicData: [] } as never)
    const named = version >= 13 ? { topicId } : { name: topic }
    await side.tell(Produce, version, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ ...named, partitionData: [] }],
    } as never)
    await side.tell(Produce, version, {
      ...{ acks: -1, timeoutMs: 1000 },
      topicData: [
        {
          ...named,
          partitionData: [
            { index: 0, records: batch(["c"]) },
            { index: 1, records: batch(["d"]) },
            { index: 2, records: batch(["e"]) },
          ],
        },
      ],
    } as never)
  }
  await produce(side, topic, batch(["a"]), { version: 13, topicId: ZERO })
  await readAll(side, topic)
  await readAll(side, topic, { partition: 1 })
})

compare("names that are none", async (side) => {
  for (const name of ["", ".", "..", "a b", "ä", "x".repeat(249), "x".repeat(250)]) {
    for (const version of [3, 12]) await produce(side, name, batch(["a"]), { version })
  }
})

/** The error of one batch, and where the log ends behind it. */
async function outcome(side: Side, name: string, records: Uint8Array | null): Promise<unknown> {
  const topic = group(name)
  await create(side, topic)
  const answer = await produce(side, topic, records)
  const read = await readAll(side, topic)
  return [
    answer?.responses.map(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode)),
    read!.responses[0]!.partitions[0]!.highWatermark,
  ]
}

const refused = (error: number): unknown => [[[error]], 0]

differs("Kafka fails on records that are null, and does not answer", (side) => outcome(side, "null-records", null), {
  ours: refused(INVALID_RECORD),
  kafkas: [undefined, 0],
})

differs(
  "Kafka ignores bytes behind a batch that are no whole batch; whoever sends them means something that would be lost",
  (side) => outcome(side, "bytes-behind", Buffer.concat([batch(["a"]), bytes("x")])),
  { ours: refused(CORRUPT_MESSAGE), kafkas: [[[0]], 1] },
)

differs(
  "Kafka fails without a name on a codec that there is not",
  (side) =>
    outcome(
      side,
      "codec-7",
      changed(batch(["a"]), (view) => view.setInt16(21, 7)),
    ),
  { ours: refused(INVALID_RECORD), kafkas: refused(UNKNOWN_SERVER_ERROR) },
)

differs(
  "Kafka fails without a name on what cannot be decompressed",
  (side) =>
    outcome(
      side,
      "codec-false",
      changed(batch(["a"]), (view) => view.setInt16(21, 1)),
    ),
  { ours: refused(INVALID_RECORD), kafkas: refused(UNKNOWN_SERVER_ERROR) },
)

differs(
  "Kafka takes a batch that says its times are the broker's, and makes all of them the greatest",
  (side) =>
    outcome(
      side,
      "client-append-time",
      changed(batch(["a"]), (view) => view.setInt16(21, 8)),
    ),
  { ours: refused(INVALID_TIMESTAMP), kafkas: [[[0]], 1] },
)

differs(
  "Kafka takes a delete horizon from a client, which is the cleaner's to set: tombstones would go before their time",
  (side) =>
    outcome(
      side,
      "client-horizon",
      changed(batch(["a"]), (view) => view.setInt16(21, 0x40)),
    ),
  { ours: refused(INVALID_RECORD), kafkas: [[[0]], 1] },
)

differs(
  "Kafka takes a producer id without an epoch, which nothing could fence",
  (side) => outcome(side, "no-epoch", batch(["a"], { producerId: 987_654, baseSequence: 0 })),
  { ours: refused(INVALID_RECORD), kafkas: [[[0]], 1] },
)

differs(
  "Of two batches for one partition in a request Kafka drops the first without a word",
  async (side) => {
    const topic = group("twice-partition")
    await create(side, topic)
    const answer = await side.tell(Produce, 12, {
      ...{ acks: -1, timeoutMs: 1000 },
      topicData: [
        {
          name: topic,
          partitionData: [
            { index: 0, records: batch(["a"]) },
            { index: 0, records: batch(["b"]) },
          ],
        },
      ],
    } as never)
    const read = await readAll(side, topic)
    return [answer!.responses[0]!.partitionResponses.length, read!.responses[0]!.partitions[0]!.highWatermark]
  },
  { ours: [2, 2], kafkas: [1, 1] },
)

differs(
  "Kafka refuses all of a request when one of its partitions has no batch at all; ours refuses that one",
  async (side) => {
    const topic = group("one-corrupt")
    await create(side, topic, 2)
    const answer = await side.tell(Produce, 12, {
      ...{ acks: -1, timeoutMs: 1000 },
      topicData: [
        {
          name: topic,
          partitionData: [
            { index: 0, records: new Uint8Array(20) },
            { index: 1, records: batch(["a"]) },
          ],
        },
      ],
    } as never)
    return answer!.responses[0]!.partitionResponses.map(({ index, errorCode }) => [index, errorCode]).sort()
  },
  {
    ours: [
      [0, CORRUPT_MESSAGE],
      [1, 0],
    ],
    kafkas: [
      [0, CORRUPT_MESSAGE],
      [1, CORRUPT_MESSAGE],
    ],
  },
)

compare("the same topic twice in a request", async (side) => {
  const topic = group("twice")
  const topicId = await create(side, topic, 2)
  for (const version of [3, 9, 12, 13]) {
    const named = version >= 13 ? { topicId } : { name: topic }
    const part = (index: number, value: string) => ({ index, records: batch([value]) })
    await side.tell(Produce, version, {
      ...{ acks: -1, timeoutMs: 1000 },
      topicData: [
        { ...named, partitionData: [part(0, "a")] },
        { ...named, partitionData: [part(1, "b")] },
      ],
    } as never)
  }
  await readAll(side, topic)
  await readAll(side, topic, { partition: 1 })
})

compare("18: what is no batch", async (side) => {
  const topic = group("no-batch")
  await create(side, topic)
  const good = batch(["a", "b"])
  const bad: [string, Uint8Array | null][] = [
    ["nothing", new Uint8Array(0)],
    ["a few bytes", bytes("abc")],
    ["cut short", good.subarray(0, good.length - 1)],
    ["two batches", Buffer.concat([good, good])],
    ["no records", batch([])],
    ["a false checksum", good.map((byte, index) => (index === good.length - 1 ? byte ^ 1 : byte))],
    ["count too large", changed(good, (view) => view.setInt32(57, 3))],
    ["count too small", changed(good, (view) => view.setInt32(57, 1))],
    ["count negative", changed(good, (view) => view.setInt32(57, -1))],
    ["last offset too large", changed(good, (view) => view.setInt32(23, 2))],
    ["last offset too small", changed(good, (view) => view.setInt32(23, 0))],
    ["control", batch(["a"], { control: true, producerId: 1, producerEpoch: 0, baseSequence: 0 })],
    ["control without a producer", batch(["a"], { control: true })],
    ["transactional without a transactional id", batch(["a"], { transactional: true })],
    ["magic 0", changed(good, (view) => view.setInt8(16, 0))],
    ["magic 1", changed(good, (view) => view.setInt8(16, 1))],
    ["magic 3", changed(good, (view) => view.setInt8(16, 3))],
    ["magic -1", changed(good, (view) => view.setInt8(16, -1))],
    ["unknown attributes", changed(good, (view) => view.setInt16(21, 0x100))],
    ["length too small", changed(good, (view) => view.setInt32(8, 10))],
    ["length negative", good.map((byte, index) => (index >= 8 && index < 12 ? 255 : byte))],
    ["length too large", good.map((byte, index) => (index === 10 ? 1 : byte))],
    ["a producer without a sequence", batch(["a"], { producerId: 987_654, producerEpoch: 0 })],
    ["a sequence without a producer", batch(["a"], { baseSequence: 0 })],
    ["a negative base offset", changed(good, (view) => view.setBigInt64(0, -5n))],
    ["a record's length too large", changed(good, (view) => view.setUint8(61, 100))],
    ["a record's length negative", changed(good, (view) => view.setUint8(61, 1))],
    ["a record's attributes", changed(good, (view) => view.setUint8(62, 1))],
  ]
  for (const [what, records] of bad) {
    for (const version of [3, 7, 8, 12]) {
      side.scene(what)
      await produce(side, topic, records, { version })
    }
  }
  await readAll(side, topic)
})

compare("13, 15: times", async (side) => {
  const [topic, bounded] = [group("times"), group("bounded")]
  await create(side, topic)
  await create(side, bounded, 1, {
    "message.timestamp.before.max.ms": String(DAY_MS),
    "message.timestamp.after.max.ms": "1000",
  })
  const now = TIME
  const times = [now, now + 1_800_000, now + 7_200_000, now - DAY_MS * 2, 0, -1, -2, Number.MAX_SAFE_INTEGER]
  for (const to of [topic, bounded]) {
    for (const timestamp of times) {
      for (const version of [7, 8, 12]) await produce(side, to, batch([{ value: "a", timestamp }]), { version })
    }
    const mixed = batch([
      { value: "a", timestamp: now },
      { value: "b", timestamp: now + 7_200_000 },
      { value: "c", timestamp: now - 7 * DAY_MS },
    ])
    await produce(side, to, mixed)
    // A client that leaves the greatest time of its batch out, or says a wrong one.
    await produce(
      side,
      to,
      changed(batch(["a", "b"]), (view) => view.setBigInt64(35, -1n)),
    )
    await produce(
      side,
      to,
      changed(batch(["a", "b"]), (view) => view.setBigInt64(35, BigInt(now + 7_200_000))),
    )
    await readAll(side, to)
  }
})

compare("14: LogAppendTime", async (side) => {
  const topic = group("append-time")
  await create(side, topic, 1, { "message.timestamp.type": "LogAppendTime" })
  for (const timestamp of [TIME, 0, -1, TIME + 7_200_000]) {
    for (const version of [3, 12]) await produce(side, topic, batch([{ value: "a", timestamp }, "b"]), { version })
  }
  await produce(side, topic, batch(["a"], { compression: "gzip" }))
  await readAll(side, topic)
})

compare("16: records without a key on a compacted topic", async (side) => {
  for (const policy of ["compact", "compact,delete"]) {
    const topic = group(`keys-${policy.replace(",", "-")}`)
    await create(side, topic, 1, { "cleanup.policy": policy })
    const records = [{ key: "k", value: "a" }, { value: "b" }, { key: "", value: "c" }, { value: null }, { key: "k" }]
    for (const version of [3, 7, 8, 12]) {
      await produce(side, topic, batch(records), { version })
      await produce(side, topic, batch([records[0]!, records[2]!, records[4]!]), { version })
      await produce(side, topic, batch(records, { compression: "gzip" }), { version })
    }
    await readAll(side, topic)
  }
})

compare("17: batches that are too large", async (side) => {
  const [topic, segments] = [group("large"), group("segments")]
  await create(side, topic, 1, { "max.message.bytes": "1000" })
  await create(side, segments, 1, { "segment.bytes": "1048576", "max.message.bytes": "3000000" })
  for (const version of [3, 12]) {
    for (const size of [900, 931, 932, 933, 934, 1000, 5000]) {
      await produce(side, topic, batch(["x".repeat(size)]), { version })
      await produce(side, topic, batch(["x".repeat(size)], { compression: "gzip" }), { version })
    }
    for (const size of [1_000_000, 1_048_600, 2_000_000]) {
      await produce(side, segments, batch(["x".repeat(size)]), { version })
    }
  }
})

compare("19: compression", async (side) => {
  for (const codec of ["producer", "uncompressed", "gzip"]) {
    const topic = group(`codec-${codec}`)
    await create(side, topic, 1, { "compression.type": codec })
    for (const compression of COMPRESSIONS) {
      for (const version of [3, 6, 7, 12]) {
        await produce(side, topic, batch(["a", "b"], { compression }), { version })
      }
    }
  }
  const topic = group("codec-broken")
  await create(side, topic)
  for (const compression of COMPRESSIONS) {
    if (compression === "none") continue
    const good = batch(["a".repeat(100), "b"], { compression })
    await produce(
      side,
      topic,
      changed(good, (view) => view.setInt32(57, 3)),
    )
  }
})

compare("23, 24, 26: sequences", async (side) => {
  const topic = group("sequences")
  await create(side, topic, 2)
  const producerId = 1_000_000
  const send = (baseSequence: number, count: number, producerEpoch = 0) => {
    const values = Array.from({ length: count }, (_, index) => `${baseSequence + index}`)
    return produce(side, topic, batch(values, { producerId, producerEpoch, baseSequence }))
  }
  await send(5, 1)
  await send(6, 2)
  await send(6, 2)
  await send(7, 1)
  await send(9, 1)
  for (let sequence = 8; sequence < 14; sequence++) await send(sequence, 1)
  // The window is five batches.
  for (let sequence = 5; sequence < 15; sequence++) await send(sequence, 1)
  await send(15, 1, 1)
  await send(0, 1, 1)
  await send(0, 1, 1)
  await send(0, 2, 1)
  await send(15, 1, 0)
  await send(3, 1, 2)
  await send(1, 1, 1)
  await readAll(side, topic)
  const wrap = group("sequences-wrap")
  await create(side, wrap)
  const values = ["a", "b", "c"]
  const options = { producerId, producerEpoch: 0 }
  await produce(side, wrap, batch(values, { ...options, baseSequence: 2_147_483_646 }))
  await produce(side, wrap, batch(values, { ...options, baseSequence: 2_147_483_646 }))
  await produce(side, wrap, batch(["d"], { ...options, baseSequence: 0 }))
  await produce(side, wrap, batch(["d"], { ...options, baseSequence: 1 }))
  await produce(side, wrap, batch(["e"], { ...options, baseSequence: 2 }))
  await readAll(side, wrap)
})

compare("a record with headers, and one of nothing", async (side) => {
  const topic = group("headers")
  await create(side, topic)
  const builder = new RecordBatchBuilder()
  builder.append(TIME, null, null)
  builder.append(TIME, bytes(""), bytes(""), [
    { key: "h", value: "v" },
    { key: "h", value: null },
    { key: "", value: "" },
  ])
  await produce(side, topic, builder.build())
  await readAll(side, topic)
})
