/** A member whom its group has put out: its tasks are another's by then, and what they wrote is nobody's. */
import { Cluster, CoordinatorType } from "@millrace/client/cluster"
import { resolveOptions } from "@millrace/client/options"
import { nodeHost } from "@millrace/host/node"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, expectExact } from "./bench.ts"

const In = S.topic("lost-in", { key: string, value: string })
const Out = S.topic("lost-out", { key: string, value: json<number>() })
const pipeline = S.pipeline("lost", () => S.stream(In).pipe(S.count("n"), S.toStream(), S.to(Out)))
const RECORDS = 20

test("E6: tasks that are lost leave nothing in the transaction that goes on", async () => {
  const bench = await Bench.start()
  const cluster = new Cluster(resolveOptions({ host: nodeHost, brokers: bench.brokers }))
  try {
    await bench.createTopics({ "lost-in": 1, "lost-out": 1 })
    // Nothing is committed before it closes.
    const how = { commitIntervalMs: 200_000, transactionTimeoutMs: 600_000, sessionTimeoutMs: 600_000 }
    const running = await S.run(pipeline, bench.options("lost", how))
    await bench.produce(
      In,
      Array.from({ length: RECORDS }, (_, at) => [`k${at % 3}`, "v", at]),
    )
    await eventually("all is processed", () => running.metrics().processed === RECORDS)
    const [group] = await bench.client.admin().describeGroups(["lost"])
    const members = group!.members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId }))
    const coordinator = await cluster.coordinator(CoordinatorType.group, "lost")
    expect(await coordinator.request(LeaveGroup, { groupId: "lost", members })).toMatchObject({ errorCode: 0 })
    await eventually("all is processed again", () => running.metrics().processed === 2 * RECORDS)
    await running.close()
    expectExact(await bench.consume(Out, RECORDS + 1, 1_000), RECORDS)
  } finally {
    cluster.close()
    await bench.close()
  }
})
