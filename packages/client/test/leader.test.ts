/**
 * A leader that the list of nodes lacks: brokers that start or end are asked about again, not taken for a mistake.
 */
import { ErrorCode } from "@millrace/protocol"
import { expect, test } from "vitest"
import { Cluster } from "../src/cluster.ts"
import { resolveOptions } from "../src/options.ts"
import { ScriptedBroker } from "./support/scripted-broker.ts"

async function setUp() {
  const broker = new ScriptedBroker()
  await broker.client()
  const random = { float: () => 0.5, int: () => 0, bytes: (length: number) => new Uint8Array(length) }
  const host = { clock: broker.clock, random, net: broker.net }
  const usual = broker.handlers.get("Metadata")!
  // oxlint-disable-next-line typescript/no-explicit-any -- the answer of a scripted broker
  const ledBy = (leaderId: number) => (body: any, version: number) => {
    // oxlint-disable-next-line typescript/no-explicit-any -- as above
    const answer = usual(body, version) as any
    for (const topic of answer.topics) for (const partition of topic.partitions) partition.leaderId = leaderId
    return answer
  }
  return { broker, cluster: new Cluster(resolveOptions({ host, brokers: "broker:9092" })), ledBy }
}

test("metadata is asked for again, and the leader that is listed then is taken", async () => {
  const { broker, cluster, ledBy } = await setUp()
  cluster.track(["t"])
  broker.script("Metadata", ledBy(9))
  await cluster.refresh()
  expect((await cluster.leader("t", 0)).leader).toBe(1)
  await cluster.close()
})

test("one that goes on missing is an error worth trying again", async () => {
  const { broker, cluster, ledBy } = await setUp()
  broker.handlers.set("Metadata", ledBy(9))
  const wanted = { code: ErrorCode.LEADER_NOT_AVAILABLE, retriable: true }
  await expect(cluster.leader("t", 0)).rejects.toMatchObject(wanted)
  await expect(cluster.leaderNode(9)).rejects.toMatchObject(wanted)
  await cluster.close()
})
