/** A group that plain consumers are in, whose broker assigns (KIP-848), is no application's. */
import { Cluster, CoordinatorType } from "@millrace/client/cluster"
import { resolveOptions } from "@millrace/client/options"
import { nodeHost } from "@millrace/host/node"
import { ErrorCode } from "@millrace/protocol"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench } from "./bench.ts"

const In = S.topic("shared-in", { key: string, value: string })
const Out = S.topic("shared-out", { key: string, value: string })
const pipeline = S.pipeline("shared", () => S.stream(In).pipe(S.to(Out)))

test.each([
  ["has all partitions", In.name],
  ["has none of the partitions", Out.name],
])("a run ends by name in a group with a plain consumer that %s", async (_, topic) => {
  const bench = await Bench.start()
  const cluster = new Cluster(resolveOptions({ host: nodeHost, brokers: bench.brokers }))
  try {
    await bench.createTopics({ "shared-in": 2, "shared-out": 2 })
    const coordinator = await cluster.coordinator(CoordinatorType.group, "shared")
    const joined = await coordinator.request(ConsumerGroupHeartbeat, {
      groupId: "shared",
      memberId: "plain",
      memberEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: [topic],
      topicPartitions: [],
    })
    expect(joined).toMatchObject({
      errorCode: ErrorCode.NONE,
      assignment: { topicPartitions: [{ partitions: [0, 1] }] },
    })
    const running = await S.run(pipeline, bench.options("shared"))
    await expect(running.done).rejects.toThrow(
      /group "shared" has members that are not this application: .* stop the consumers whose group\.id is "shared", or give/,
    )
    expect(running.metrics().processed).toBe(0)
  } finally {
    cluster.close()
    await bench.close()
  }
})
