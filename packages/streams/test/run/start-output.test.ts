/** A cluster that answers what a run asks first, and then is away while its transactional id is to be taken over. */
import type { Connection, Net } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import { embeddedBroker } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<number>() })
const pipeline = S.pipeline("copy", () => S.stream(In).pipe(S.to(Out)))

const INIT_PRODUCER_ID = 22
/** Behind a frame's length: the API's key. */
const keyOf = (chunk: Uint8Array): number => (chunk[4]! << 8) | chunk[5]!

/** Closes the connection of whoever sends InitProducerId while it is told to. */
function cuttingInit(net: Net, isAway: () => boolean): Net {
  const cutting = (connection: Connection): Connection =>
    new Proxy(connection, {
      get: (target, name) => {
        if (name === "write")
          return (chunks: Parameters<Connection["write"]>[0]) => {
            const first = Array.isArray(chunks) ? chunks[0] : chunks
            if (isAway() && keyOf(first) === INIT_PRODUCER_ID) target.destroy()
            else target.write(chunks)
          }
        const member = Reflect.get(target, name, target) as unknown
        return typeof member === "function" ? (member.bind(target) as unknown) : member
      },
    })
  return {
    listen: (...args) => net.listen(...args),
    connect: async (...args) => cutting(await net.connect(...args)),
  }
}

async function away(taskTimeoutMs: number, enough: number) {
  const broker = await embeddedBroker()
  await broker
    .client()
    .admin()
    .createTopics([
      { name: "in", partitions: 1 },
      { name: "out", partitions: 1 },
    ])
  const told: string[] = []
  const starting = S.run(pipeline, {
    host: nodeHost,
    brokers: broker.brokers,
    net: cuttingInit(nodeHost.net, () => told.length < enough),
    commitIntervalMs: 50,
    transactionTimeoutMs: 200,
    taskTimeoutMs,
    log: (message) => {
      if (message.startsWith("the transactional id")) told.push(message)
    },
  })
  return { broker, starting, told }
}

test("a run that starts waits for a cluster that goes away, and says so", async () => {
  const { broker, starting, told } = await away(60_000, 2)
  await using _ = broker
  await using handle = await starting
  expect(told).toEqual([
    expect.stringMatching(/^the transactional id cannot be taken over yet, trying again: initTransactions did not/),
    expect.any(String),
  ])
  expect(handle.state()).not.toBe("error")
})

test("one that stays away for longer than taskTimeoutMs ends it", async () => {
  const { broker, starting } = await away(1, Infinity)
  await using _ = broker
  await expect(starting).rejects.toThrow(/initTransactions did not succeed within 200 ms/)
})
