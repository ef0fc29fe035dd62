/** Fetch sessions through frames: semantics 51 and 54 to 57 of the broker, KIP-227. */
import { ErrorCode } from "@millrace/protocol"
import { DeleteRecords } from "@millrace/protocol/messages/delete-records"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { Fetch } from "@millrace/protocol/messages/fetch"
import { expect, test } from "vitest"
import { batch, type Client, start } from "../harness.ts"
import { readRecords } from "../read.ts"

const NO_TOPIC_ID = "00000000-0000-0000-0000-000000000000"

interface Ask {
  readonly session?: readonly [id: number, epoch: number]
  readonly partitions?: Readonly<Record<number, number>>
  readonly forgotten?: readonly number[]
  readonly topicId?: string
  readonly maxWaitMs?: number
  readonly maxBytes?: number
  /** Left out, the last one that fits. */
  readonly version?: number
  readonly lastFetchedEpoch?: number
}

/** Asks for partitions of topic "a" from these offsets on. */
async function ask(client: Client, { session = [0, 0], partitions = {}, forgotten = [], ...rest }: Ask) {
  const { topicId, maxWaitMs = 0, maxBytes = 10_000_000, lastFetchedEpoch = -1 } = rest
  const { version = topicId === undefined ? 12 : 17 } = rest
  const topic = topicId === undefined ? { topic: "a" } : { topicId }
  const asked = Object.entries(partitions).map(([partition, fetchOffset]) => ({
    partition: Number(partition),
    fetchOffset,
    lastFetchedEpoch,
    partitionMaxBytes: maxBytes,
  }))
  const { errorCode, sessionId, responses } = await client.send(Fetch, version, {
    maxWaitMs,
    minBytes: 1,
    maxBytes,
    sessionId: session[0],
    sessionEpoch: session[1],
    topics: asked.length === 0 ? [] : [{ ...topic, partitions: asked }],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...topic, partitions: [...forgotten] }],
  })
  const told = responses.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, errorCode, records }) => ({
      partition: partitionIndex,
      errorCode,
      values: readRecords(records).map(({ value }) => value),
    })),
  )
  return { errorCode, sessionId, told }
}

const fetched = (partition: number, ...values: string[]) => ({ partition, errorCode: 0, values })

async function withTopic(partitions: number, config: Record<string, string> = {}) {
  const started = await start(config)
  const client = await started.client()
  await client.createTopic("a", partitions)
  return { client, other: await started.client() }
}

async function opened(client: Client, partitions: Record<number, number>, topicId?: string): Promise<number> {
  const { sessionId } = await ask(client, { partitions, ...(topicId === undefined ? {} : { topicId }) })
  expect(sessionId).toBeGreaterThan(0)
  return sessionId
}

test("58: what a session knows of epochs is not told in a version without diverging epochs", async () => {
  const { client } = await withTopic(1)
  await client.produce("a", batch(["x"]))
  const { sessionId } = await ask(client, { partitions: { 0: 5 }, lastFetchedEpoch: 0 })
  expect(await ask(client, { session: [sessionId, 1], version: 11 })).toMatchObject({
    told: [{ partition: 0, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }],
  })
})

test("54 55: a session is told only what is new; what was fetched is asked for from where the client is", async () => {
  const { client } = await withTopic(2)
  await client.produce("a", batch(["x"]))
  const first = await ask(client, { partitions: { 0: 0, 1: 0 } })
  expect(first).toMatchObject({ errorCode: 0, told: [fetched(0, "x"), fetched(1)] })
  const id = first.sessionId
  expect(await ask(client, { session: [id, 1], partitions: { 0: 1 } })).toEqual({
    errorCode: 0,
    sessionId: id,
    told: [],
  })
  await client.produce("a", batch(["y"]), { partition: 1 })
  expect(await ask(client, { session: [id, 2] })).toMatchObject({ sessionId: id, told: [fetched(1, "y")] })
  // Its high watermark is known, but the client has not said that it went on.
  expect(await ask(client, { session: [id, 3] })).toMatchObject({ told: [fetched(1, "y")] })
})

test("54: -1 reads without a session and ends the one that it names; 0 ends it and opens another", async () => {
  const { client } = await withTopic(1)
  expect(await ask(client, { session: [0, -1], partitions: { 0: 0 } })).toMatchObject({ sessionId: 0 })
  const id = await opened(client, { 0: 0 })
  expect(await ask(client, { session: [id, -1], partitions: { 0: 0 } })).toMatchObject({ errorCode: 0, sessionId: 0 })
  const notFound = { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, told: [] }
  expect(await ask(client, { session: [id, 1] })).toEqual(notFound)
  const second = await opened(client, { 0: 0 })
  const third = await ask(client, { session: [second, 0], partitions: { 0: 0 } })
  expect(third.sessionId).not.toBe(second)
  expect(await ask(client, { session: [second, 1] })).toEqual(notFound)
})

test("54: an epoch out of turn is refused, and the session goes on", async () => {
  const { client } = await withTopic(1)
  const id = await opened(client, { 0: 0 })
  for (const epoch of [2, 7])
    expect(await ask(client, { session: [id, epoch] })).toMatchObject({
      errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
    })
  expect(await ask(client, { session: [id, 1] })).toMatchObject({ errorCode: 0, sessionId: id })
})

test("54: names and topic ids do not mix in one session", async () => {
  const { client } = await withTopic(1)
  const topicId = await client.topicId("a")
  const refused = { errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR, sessionId: 0 }
  const byName = await opened(client, { 0: 0 })
  expect(await ask(client, { session: [byName, 1], topicId })).toMatchObject(refused)
  const byId = await opened(client, { 0: 0 }, topicId)
  expect(await ask(client, { session: [byId, 1] })).toMatchObject(refused)
})

test("54: without a free slot there is no session", async () => {
  const { client } = await withTopic(1, { "max.incremental.fetch.session.cache.slots": "1" })
  await opened(client, { 0: 0 })
  expect(await ask(client, { partitions: { 0: 0 } })).toMatchObject({ errorCode: 0, sessionId: 0, told: [fetched(0)] })
})

test("55: an incremental fetch waits for what its session reads", async () => {
  const { client, other } = await withTopic(2)
  const id = await opened(client, { 0: 0, 1: 0 })
  const waiting = ask(client, { session: [id, 1], maxWaitMs: 20_000 })
  await other.produce("a", batch(["x"]), { partition: 1 })
  expect(await waiting).toMatchObject({ told: [fetched(1, "x")] })
})

test("55: a wait that brought too little is no news to lose", async () => {
  const { client, other } = await withTopic(1)
  const id = await opened(client, { 0: 0 })
  const waiting = client.send(Fetch, 12, {
    maxWaitMs: 300,
    minBytes: 1_000_000,
    sessionId: id,
    sessionEpoch: 1,
    topics: [],
  })
  await other.produce("a", batch(["x"]))
  const { responses } = await waiting
  expect(responses[0]!.partitions[0]).toMatchObject({ partitionIndex: 0, highWatermark: 1 })
})

test("55: a new log start is told, an error is told until it is over, and so is its end", async () => {
  const { client } = await withTopic(1)
  await client.produce("a", batch(["x", "y"]))
  const id = await opened(client, { 0: 2 })
  const deleteTo = (offset: number) =>
    client.send(DeleteRecords, 2, {
      topics: [{ name: "a", partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1000,
    })
  await deleteTo(1)
  expect(await ask(client, { session: [id, 1] })).toMatchObject({ told: [fetched(0)] })
  expect(await ask(client, { session: [id, 2] })).toMatchObject({ told: [] })
  const outOfRange = { told: [{ partition: 0, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }] }
  expect(await ask(client, { session: [id, 3], partitions: { 0: 0 } })).toMatchObject(outOfRange)
  expect(await ask(client, { session: [id, 4] })).toMatchObject(outOfRange)
  expect(await ask(client, { session: [id, 5], partitions: { 0: 2 } })).toMatchObject({ told: [fetched(0)] })
  expect(await ask(client, { session: [id, 6] })).toMatchObject({ told: [] })
})

test("56: forgotten partitions are not read; one that comes again goes on from its new offset", async () => {
  const { client } = await withTopic(2)
  for (const value of ["x", "y"]) await client.produce("a", batch([value]))
  const id = await opened(client, { 0: 0, 1: 0 })
  expect(await ask(client, { session: [id, 1], forgotten: [0] })).toMatchObject({ told: [] })
  expect(await ask(client, { session: [id, 2], partitions: { 0: 1 } })).toMatchObject({ told: [fetched(0, "y")] })
  expect(await ask(client, { session: [id, 3], forgotten: [0, 1] })).toMatchObject({ errorCode: 0, sessionId: 0 })
  expect(await ask(client, { session: [id, 4] })).toMatchObject({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
})

test("56: what a request names that forgets all of its session is read once, however often it is named", async () => {
  const { client } = await withTopic(1)
  await client.produce("a", batch(["x"]))
  const id = await opened(client, { 0: 0 })
  const partition = { partition: 0, fetchOffset: 0, lastFetchedEpoch: -1, partitionMaxBytes: 1000 }
  const { sessionId, responses } = await client.send(Fetch, 12, {
    ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 10_000, sessionId: id, sessionEpoch: 1 },
    topics: [{ topic: "a", partitions: Array.from({ length: 5 }, () => partition) }],
    forgottenTopicsData: [{ topic: "a", partitions: [0] }],
  })
  expect(sessionId).toBe(0)
  expect(responses.flatMap(({ partitions }) => partitions)).toMatchObject([{ partitionIndex: 0, errorCode: 0 }])
})

test("51: a partition that gave data is read last the next time", async () => {
  const { client } = await withTopic(3)
  for (const partition of [0, 1, 2]) await client.produce("a", batch(["x".repeat(1000)]), { partition })
  const first = await ask(client, { partitions: { 0: 0, 1: 0, 2: 0 }, maxBytes: 10 })
  expect(first.told.map(({ values }) => values.length)).toEqual([1, 0, 0])
  // The order in which a session begins is that of its first request.
  const read = async (epoch: number) =>
    (await ask(client, { session: [first.sessionId, epoch], maxBytes: 10 })).told.map(({ partition }) => partition)
  expect(await read(1)).toEqual([0])
  expect(await read(2)).toEqual([1])
  expect(await read(3)).toEqual([2])
  expect(await read(4)).toEqual([0])
})

test("57: an id that is unknown is told for its partition alone, and stays", async () => {
  const { client, other } = await withTopic(1)
  const topicId = await client.topicId("a")
  const id = await opened(client, { 0: 0 }, topicId)
  await other.send(DeleteTopics, 5, { topicNames: ["a"], timeoutMs: 1000 })
  const unknown = { errorCode: 0, told: [{ partition: 0, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] }
  for (const epoch of [1, 2])
    expect(await ask(client, { session: [id, epoch], topicId: NO_TOPIC_ID })).toMatchObject(unknown)
})
