/** What a broker tells of itself. */
import { ErrorCode } from "@millrace/protocol"
import { AlterClientQuotas } from "@millrace/protocol/messages/alter-client-quotas"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { prometheusText } from "@millrace/metrics"
import { expect, test } from "vitest"
import { BROKER_METRICS } from "../src/metrics/table.ts"
import { batch, start, type Started } from "./harness.ts"
import { fetchOne } from "./read.ts"

async function scrape({ broker }: Started): Promise<string> {
  return prometheusText(BROKER_METRICS, [{ labels: {}, source: await broker.metrics() }])
}

test("records and bytes are counted by topic as they go in and out; what is refused is counted apart", async () => {
  const started = await start()
  const client = await started.client()
  await client.createTopic("t")
  const records = batch(["a", "b", "c"])
  await client.produce("t", records)
  const damaged = batch(["d"])
  damaged[damaged.length - 1]! ^= 1
  expect((await client.produce("t", damaged)).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
  expect((await fetchOne(client, "t")).records!.length).toBe(records.length)
  const text = await scrape(started)
  for (const line of [
    'messages_in_total{topic="t"} 3',
    `bytes_in_total{topic="t"} ${records.length}`,
    'batches_in_total{topic="t"} 1',
    'failed_produce_requests_total{topic="t"} 1',
    `bytes_out_total{topic="t"} ${records.length}`,
    'fetch_requests_total{topic="t"} 1',
    'log_end_offset{topic="t",partition="0"} 3',
    'high_watermark{topic="t",partition="0"} 3',
    `log_size_bytes{topic="t",partition="0"} ${records.length}`,
    'request_time_ms_count{api="Produce"} 2',
    'request_time_ms_count{api="Fetch"} 1',
    "connections 1",
    "offline_partitions 0",
  ])
    expect(text).toContain(`\nmillrace_broker_${line}\n`)
})

test("a deleted topic's figures go with it", async () => {
  const started = await start()
  const client = await started.client()
  await client.createTopic("t")
  await client.produce("t", batch(["a"]))
  await client.send(DeleteTopics, 6, { topics: [{ name: "t" }], timeoutMs: 1_000 })
  expect(await scrape(started)).not.toContain('topic="t"')
})

test("the lag of a group is what it has not committed yet", async () => {
  const started = await start()
  const client = await started.client()
  await client.createTopic("t")
  await client.produce("t", batch(["a", "b", "c"]))
  await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
  const commit = () =>
    client.send(OffsetCommit, 8, {
      groupId: "g",
      generationIdOrMemberEpoch: -1,
      memberId: "",
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
    })
  let errorCode: number
  do errorCode = (await commit()).topics[0]!.partitions[0]!.errorCode
  while (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  expect(errorCode).toBe(0)
  const text = await scrape(started)
  expect(text).toContain('\nmillrace_broker_group_lag{group="g",topic="t",partition="0"} 2\n')
  expect(text).toContain('\nmillrace_broker_groups{type="classic",state="Empty"} 1\n')
})

test("who is held back by a quota is counted, and for how long", async () => {
  const started = await start()
  const client = await started.client("app")
  await client.createTopic("t")
  await client.send(AlterClientQuotas, 1, {
    entries: [
      {
        entity: [{ entityType: "client-id", entityName: "app" }],
        ops: [{ key: "producer_byte_rate", value: 1, remove: false }],
      },
    ],
    validateOnly: false,
  })
  await client.produce("t", batch(["x".repeat(1_000)]))
  const { throttled, connectionsAccepted } = await started.broker.metrics()
  expect(connectionsAccepted).toBe(1)
  expect(throttled.count).toBe(1)
  expect(throttled.ms).toBeGreaterThan(1_000)
})
