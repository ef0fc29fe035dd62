/** Fetch and its sessions, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { Fetch } from "@millrace/protocol/messages/fetch"
import { batch, create, produce, versionsOf } from "./broker-topics.ts"
import { compare, differs, group, oracle } from "./oracle.ts"
import { readAll } from "./reading.ts"
import type { Side } from "./side.ts"

oracle()

const UNKNOWN_ID = "AbAAAAAAQACAAAAAAAAAAA"
const UNKNOWN_SERVER_ERROR = -1
const ZERO_ID = "AAAAAAAAAAAAAAAAAAAAAA"

/** Three batches of two records. */
async function filled(side: Side, name: string, partitions = 1): Promise<string> {
  const id = await create(side, name, partitions)
  for (const values of [
    ["a", "b"],
    ["c", "d"],
    ["e", "f"],
  ])
    await produce(side, name, batch(values))
  return id
}

compare("50, 52, 53, 58: all versions of Fetch, from offsets, epochs and topics good and bad", async (side) => {
  const topic = group("fetch")
  const topicId = await filled(side, topic, 2)
  for (const version of versionsOf(Fetch)) {
    const read = (options: object, name = topic, id = topicId) =>
      readAll(side, name, { version, topicId: id, ...options })
    for (const offset of [0, 1, 2, 5, 6, 7, -1, -2, 2 ** 40]) await read({ offset })
    for (const partition of [1, 2, -1]) await read({ partition })
    await read({}, group("absent"), UNKNOWN_ID)
    await read({ isolationLevel: 1 })
    for (const [maxBytes, partitionMaxBytes] of [
      [1, 1],
      [100, 1000],
      [1000, 100],
      [160, 160],
      [0, 0],
    ]) {
      await read({ maxBytes, partitionMaxBytes })
    }
    await read({ minBytes: -1, maxWaitMs: -1 })
    await side.tell(Fetch, version, { maxWaitMs: 0, minBytes: 0, topics: [] } as never)
    const named = version >= 13 ? { topicId } : { topic }
    await side.tell(Fetch, version, { maxWaitMs: 0, minBytes: 0, topics: [{ ...named, partitions: [] }] } as never)
    const twice = { fetchOffset: 0, partitionMaxBytes: 1000 }
    await side.tell(Fetch, version, {
      ...{ maxWaitMs: 0, minBytes: 0 },
      topics: [
        {
          ...named,
          partitions: [
            { partition: 0, ...twice },
            { partition: 0, ...twice, fetchOffset: 4 },
          ],
        },
      ],
    } as never)
    await side.tell(Fetch, version, {
      ...{ maxWaitMs: 0, minBytes: 0 },
      topics: [
        { ...named, partitions: [{ partition: 0, ...twice }] },
        { ...named, partitions: [{ partition: 1, ...twice }] },
      ],
    } as never)
    if (version < 9) continue
    for (const currentLeaderEpoch of [0, 1, 99, -2]) await read({ currentLeaderEpoch })
    if (version < 12) continue
    for (const lastFetchedEpoch of [0, 1, -2]) await read({ lastFetchedEpoch })
    await read({ lastFetchedEpoch: 0, offset: 9 })
  }
  await readAll(side, topic, { version: 13, topicId: ZERO_ID })
})

const told = async (
  side: Side,
  options: { isolationLevel?: number; maxBytes?: number; partitionMaxBytes?: number },
) => {
  const topic = group(`told-${Object.keys(options)[0]}`)
  await filled(side, topic)
  const answer = await readAll(side, topic, options)
  const partition = answer!.responses[0]!.partitions[0]!
  return [answer!.errorCode, partition.errorCode, partition.records!.length > 0]
}

differs(
  "Kafka fails without a name on an isolation level that there is not; ours reads uncommitted",
  (side) => told(side, { isolationLevel: 2 }),
  { ours: [0, 0, true], kafkas: [UNKNOWN_SERVER_ERROR, UNKNOWN_SERVER_ERROR, false] },
)

differs(
  "Kafka fails without a name on a negative limit; ours reads the one batch that it would for 0",
  (side) => told(side, { maxBytes: -1, partitionMaxBytes: -1 }),
  { ours: [0, 0, true], kafkas: [0, UNKNOWN_SERVER_ERROR, false] },
)

compare("51: limits over several partitions", async (side) => {
  const topic = group("fetch-limits")
  await create(side, topic, 3)
  for (const partition of [0, 1, 2]) {
    for (let round = 0; round < 3; round++) await produce(side, topic, batch(["x".repeat(200)]), { partition })
  }
  for (const maxBytes of [1, 300, 600, 900, 2000]) {
    for (const partitionMaxBytes of [1, 300, 600, 2000]) {
      for (const order of [
        [0, 1, 2],
        [2, 0, 1],
      ]) {
        await side.tell(Fetch, 12, {
          ...{ maxWaitMs: 0, minBytes: 0, maxBytes },
          topics: [{ topic, partitions: order.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes })) }],
        } as never)
      }
    }
  }
})

interface SessionOptions {
  readonly partitions?: readonly (readonly [partition: number, offset: number])[]
  readonly forgotten?: readonly number[]
  readonly version?: number
  readonly named?: object
  readonly maxWaitMs?: number
}

compare("54, 55, 56: sessions", async (side) => {
  const topic = group("sessions")
  const topicId = await filled(side, topic, 3)
  const fetch = (sessionId: number, sessionEpoch: number, options: SessionOptions = {}) => {
    const { partitions = [], forgotten = [], version = 12, maxWaitMs = 0 } = options
    const named = options.named ?? (version >= 13 ? { topicId } : { topic })
    return side.tell(Fetch, version, {
      ...{ maxWaitMs, minBytes: 1, sessionId, sessionEpoch },
      topics:
        partitions.length === 0
          ? []
          : [
              {
                ...named,
                partitions: partitions.map(([partition, fetchOffset]) => ({
                  ...{ partition, fetchOffset, partitionMaxBytes: 1000 },
                })),
              },
            ],
      forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...named, partitions: forgotten }],
    } as never)
  }
  await fetch(0, -1, { partitions: [[0, 0]] })
  await fetch(0, 5, { partitions: [[0, 0]] })
  await fetch(12_345, 1)
  await fetch(12_345, 0, { partitions: [[0, 0]] })
  await fetch(12_345, -1, { partitions: [[0, 0]] })
  for (const version of [7, 12, 13, 18]) {
    const all = {
      partitions: [
        [0, 0],
        [1, 0],
        [2, 0],
      ] as const,
      version,
    }
    const { sessionId } = (await fetch(0, 0, all))!
    await fetch(sessionId, 1, { version })
    await fetch(sessionId, 2, { version, partitions: [[0, 6]] })
    await fetch(sessionId, 3, { version })
    await fetch(sessionId, 3, { version })
    await fetch(sessionId, 5, { version })
    await produce(side, topic, batch(["new"]), { partition: 1 })
    await fetch(sessionId, 4, { version })
    await fetch(sessionId, 5, { version, partitions: [[1, 99]] })
    await fetch(sessionId, 6, { version })
    await fetch(sessionId, 7, { version, partitions: [[1, 0]], forgotten: [2] })
    await fetch(sessionId, 8, { version, forgotten: [0, 1, 7] })
    await fetch(sessionId, 9, {
      version,
      partitions: [
        [2, 0],
        [9, 0],
      ],
    })
    await fetch(sessionId, 10, { version })
    await fetch(sessionId, 11, { version: version >= 13 ? 12 : 13, partitions: [[0, 0]] })
    await fetch(sessionId, 11, { version })
    await fetch(sessionId, -1, { version, partitions: [[0, 4]] })
    await fetch(sessionId, 12, { version })
    const { sessionId: next } = (await fetch(0, 0, all))!
    const { sessionId: third } = (await fetch(next, 0, all))!
    await fetch(next, 1, { version })
    await fetch(third, 1, { version })
    await fetch(third, -2, { version })
  }
})

compare("57: an unknown id in a session", async (side) => {
  const topic = group("unknown-in-session")
  const topicId = await filled(side, topic)
  const known = { topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }
  const unknown = { topicId: UNKNOWN_ID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }
  const fetch = (sessionId: number, sessionEpoch: number, topics: object[]) =>
    side.tell(Fetch, 13, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch, topics } as never)
  const { sessionId } = (await fetch(0, 0, [known, unknown]))!
  await fetch(sessionId, 1, [])
  await fetch(sessionId, 2, [known])
  await fetch(0, 0, [unknown])
})
