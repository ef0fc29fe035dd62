/** What operators ask, and half of what a producer has. */
import { ErrorCode } from "@millrace/protocol"
import { DescribeProducers } from "@millrace/protocol/messages/describe-producers"
import { DescribeQuorum } from "@millrace/protocol/messages/describe-quorum"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { expect, test } from "vitest"
import { start } from "../harness.ts"

test.each([
  ["nowhere", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
  ["a b", ErrorCode.INVALID_TOPIC_EXCEPTION],
  ["", ErrorCode.INVALID_TOPIC_EXCEPTION],
])("48: producers of topic %j: %i", async (name, errorCode) => {
  const client = await (await start()).client()
  const { topics } = await client.send(DescribeProducers, 0, { topics: [{ name, partitionIndexes: [0] }] })
  expect(topics[0]!.partitions[0]).toMatchObject({ errorCode })
})

test("the quorum is that of one partition, which nothing else may be asked about with", async () => {
  const client = await (await start()).client()
  const ask = async (...indexes: number[]) => {
    const partitions = indexes.map((partitionIndex) => ({ partitionIndex }))
    const { topics, nodes } = await client.send(DescribeQuorum, 2, {
      topics: [{ topicName: "__cluster_metadata", partitions }],
    })
    return [topics[0]!.partitions.map(({ errorCode }) => errorCode), nodes.length]
  }
  const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  expect(await ask(0)).toEqual([[0], 1])
  expect(await ask(1)).toEqual([[unknown], 0])
  expect(await ask(0, 1)).toEqual([[unknown, unknown], 0])
})

test.each([
  [5, -1],
  [-1, 5],
])("37: producer id %i with epoch %i is half of what a producer has", async (producerId, producerEpoch) => {
  const client = await (await start()).client()
  const request = { transactionalId: null, transactionTimeoutMs: 1000, producerId, producerEpoch }
  expect(await client.send(InitProducerId, 4, request)).toMatchObject({
    ...{ errorCode: ErrorCode.INVALID_REQUEST, producerId: -1, producerEpoch: -1 },
  })
})
