import { ErrorCode, INT64_MAX, INT64_MIN } from "@millrace/protocol"
import { WriteTxnMarkers } from "@millrace/protocol/messages/write-txn-markers"
import { expect, test } from "vitest"
import { start } from "../harness.ts"

test("a marker for no topic at all is not answered", async () => {
  const client = await (await start()).client()
  const marker = { producerId: 1, producerEpoch: 0, transactionResult: true, coordinatorEpoch: 0, topics: [] }
  expect(await client.send(WriteTxnMarkers, 1, { markers: [marker] })).toEqual({ markers: [] })
})

test("each partition has a code of its own, in the order they were named", async () => {
  const client = await (await start()).client()
  await client.createTopic("a")
  const topics = [
    { name: "a", partitionIndexes: [7, 0] },
    { name: "nowhere", partitionIndexes: [0] },
  ]
  const marker = { producerId: 1, producerEpoch: 0, transactionResult: true, coordinatorEpoch: 0, topics }
  const { markers } = await client.send(WriteTxnMarkers, 1, { markers: [marker] })
  expect(
    markers[0]!.topics.map(({ name, partitions }) => [name, partitions.map(({ errorCode }) => errorCode)]),
  ).toEqual([
    ["a", [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NONE]],
    ["nowhere", [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]],
  ])
  expect(await client.offset("a", -1)).toBe(1)
})

test.each([INT64_MAX, INT64_MIN])(
  "a marker of producer %d, which no batch can have, is refused",
  async (producerId) => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    const topics = [{ name: "a", partitionIndexes: [0] }]
    const marker = { producerId, producerEpoch: 0, transactionResult: true, coordinatorEpoch: 0, topics }
    const { markers } = await client.send(WriteTxnMarkers, 1, { markers: [marker] })
    expect(markers[0]!.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(started.defects).toEqual([])
  },
)
