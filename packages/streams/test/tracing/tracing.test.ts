/**
 * Traces on a broker: a record's trace goes through a repartition topic and an aggregate to the output.
 */
import { context, SpanStatusCode, trace } from "@opentelemetry/api"
import { json, string } from "@millrace/schema"
import { afterAll, afterEach, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { parseTraceparent, traceHeaders, withParent } from "../../src/tracing/traceparent.ts"
import { Bench, eventually } from "../run/bench.ts"
import { InMemoryTracer, StackContextManager } from "./in-memory-tracer.ts"

const SINCE = Date.now()
const TRACE = "0af7651916cd43dd8448eb211c80319c"
const SAMPLED = `00-${TRACE}-b7ad6b7169203331-01`
const UNSAMPLED = "00-11111111111111111111111111111111-2222222222222222-00"

let bench: Bench
beforeAll(async () => {
  bench = await Bench.start()
})
afterAll(() => bench.close())
afterEach(() => {
  trace.disable()
  context.disable()
})

function counting(name: string, tap: (word: string) => void = () => {}) {
  const Words = S.topic(`${name}-in`, { key: string, value: string })
  const Same = S.topic(`${name}-same`, { key: string, value: string })
  const Counts = S.topic(`${name}-out`, { key: string, value: json<number>() })
  const words = S.stream(Words).pipe(S.tap(tap))
  const pipeline = S.pipeline(name, () => [
    words.pipe(S.to(Same)),
    words.pipe(
      S.keyBy((word) => word),
      S.count("counts"),
      S.toStream(),
      S.to(Counts),
    ),
  ])
  return { Words, Same, Counts, pipeline }
}

const header = (key: string, value: string) => ({ key, value: Buffer.from(value) })

async function send(topic: string, words: ReadonlyArray<readonly [word: string, traceparent?: string]>) {
  await using producer = bench.client.producer()
  for (const [word, traceparent] of words) {
    const headers = traceparent === undefined ? [] : [header("traceparent", traceparent), header("tracestate", "v=1")]
    producer.append(topic, 0, SINCE, string.encode("k"), string.encode(word), [header("mine", word), ...headers])
  }
  await producer.flush()
}

/** Headers by value of the record, as text. */
async function received(topic: string, count: number) {
  await using consumer = bench.client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  consumer.assign([{ topic, partition: 0 }])
  const found = new Map<string, Record<string, string>>()
  await eventually(`${count} records in ${topic}`, async () => {
    for (const fetched of await consumer.poll(100)) {
      fetched.forEach((record) => {
        const headers = record.headers().map(({ key, value }) => [key, Buffer.from(value!).toString()] as const)
        found.set(string.decode(record.value()!), Object.fromEntries(headers))
      })
    }
    return found.size === count
  })
  return found
}

async function start(name: string, tap?: (word: string) => void, more: Partial<S.RunOptions> = {}) {
  const topics = counting(name, tap)
  await bench.createTopics({ [`${name}-in`]: 1, [`${name}-same`]: 1, [`${name}-out`]: 1 })
  const handle = await S.run(topics.pipeline, bench.options(name, more))
  return { ...topics, handle }
}

test("a sampled record's spans are one trace from input to output; what is not sampled goes along as it came", async () => {
  const tracer = new InMemoryTracer()
  trace.setGlobalTracerProvider(tracer)
  context.setGlobalContextManager(new StackContextManager())
  const active: Array<string | undefined> = []
  const tap = () => void active.push(trace.getActiveSpan()?.spanContext().spanId)
  const { handle, Words, Same, Counts } = await start("traced", tap)
  await using _ = handle
  await send(Words.name, [["a", SAMPLED], ["b", UNSAMPLED], ["c"], ["d", "nonsense"]])
  const same = await received(Same.name, 4)
  const [a, b, c] = await countsHeaders(Counts.name)

  const [first, ...others] = tracer.ended("process traced-in")
  expect(others).toEqual([])
  expect(first!.parent).toMatchObject({ traceId: TRACE, spanId: "b7ad6b7169203331", isRemote: true })
  expect(first!.attributes).toMatchObject({
    "messaging.system": "kafka",
    "messaging.consumer.group.name": "traced",
    "messaging.destination.name": "traced-in",
    "messaging.destination.partition.id": "0",
    "messaging.kafka.offset": 0,
  })
  const own = (spanId: string) => `00-${TRACE}-${spanId}-01`
  expect(same.get("a")).toEqual({ mine: "a", traceparent: own(first!.spanContext().spanId), tracestate: "v=1" })
  expect(same.get("b")).toEqual({ mine: "b", traceparent: UNSAMPLED, tracestate: "v=1" })
  expect(same.get("c")).toEqual({ mine: "c" })
  expect(same.get("d")).toEqual({ mine: "d", traceparent: "nonsense", tracestate: "v=1" })
  expect(active).toEqual([first!.spanContext().spanId, undefined, undefined, undefined])

  const [second] = tracer.ended("process traced-counts-repartition")
  expect(second!.parent).toMatchObject({ traceId: TRACE, spanId: first!.spanContext().spanId })
  // An aggregate's updates have no headers of their own.
  expect(a).toEqual({ traceparent: own(second!.spanContext().spanId), tracestate: "v=1" })
  expect(b).toEqual({ traceparent: UNSAMPLED, tracestate: "v=1" })
  expect(c).toEqual({})

  const transactions = tracer.ended("transaction traced")
  const linked = transactions.find((span) => span.spanContext().spanId === first!.links[0]!.context.spanId)
  expect(linked!.attributes).toMatchObject({ "millrace.outcome": "committed" })
  expect(linked!.attributes["messaging.batch.message_count"]).toBeGreaterThan(0)
  const commits = tracer.ended("commit traced")
  expect(commits.map(({ parent }) => parent!.spanId)).toContain(linked!.spanContext().spanId)
})

async function countsHeaders(topic: string) {
  const found = new Map<string, Record<string, string>>()
  await using consumer = bench.client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
  consumer.assign([{ topic, partition: 0 }])
  await eventually("all counts", async () => {
    for (const fetched of await consumer.poll(100)) {
      fetched.forEach((record) => {
        const headers = record.headers().map(({ key, value }) => [key, Buffer.from(value!).toString()] as const)
        found.set(Buffer.from(record.key()!).toString("latin1"), Object.fromEntries(headers))
      })
    }
    return found.size === 4
  })
  return ["a", "b", "c"].map((word) => [...found].find(([key]) => key.includes(word))![1])
}

test("a record that fails and the transaction that it aborts are errors", async () => {
  const tracer = new InMemoryTracer()
  trace.setGlobalTracerProvider(tracer)
  const tap = (word: string) => {
    if (word === "bad") throw new Error("no such word")
  }
  const { handle, Words } = await start("failing", tap)
  await send(Words.name, [["bad", SAMPLED]])
  await expect(handle.done).rejects.toThrow("no such word")
  const [span] = tracer.ended("process failing-in")
  expect(span!.status).toMatchObject({ code: SpanStatusCode.ERROR })
  const aborted = tracer.ended("transaction failing").find(({ status }) => status.code === SpanStatusCode.ERROR)
  expect(aborted!.attributes["millrace.outcome"]).toBe("aborted")
  expect(aborted!.exceptions).toEqual([expect.stringContaining("no such word")])
})

test("without a provider nothing is made, and headers go with their record", async () => {
  const { handle, Words, Same } = await start("untraced")
  await using _ = handle
  await send(Words.name, [["a", SAMPLED]])
  expect((await received(Same.name, 1)).get("a")).toEqual({ mine: "a", traceparent: SAMPLED, tracestate: "v=1" })
})

test.each([
  [SAMPLED, { traceId: TRACE, spanId: "b7ad6b7169203331", traceFlags: 1, isRemote: true }],
  [UNSAMPLED, { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 0, isRemote: true }],
  [
    `cc-${TRACE}-b7ad6b7169203331-03-later`,
    { traceId: TRACE, spanId: "b7ad6b7169203331", traceFlags: 1, isRemote: true },
  ],
  [`00-${"0".repeat(32)}-b7ad6b7169203331-01`, undefined],
  [`00-${TRACE}-${"0".repeat(16)}-01`, undefined],
  [SAMPLED.toUpperCase(), undefined],
  ["", undefined],
])("traceparent %s", (text, expected) => {
  expect(parseTraceparent([header("traceparent", text)])).toEqual(expected)
})

test("the trace's headers are told from others, and a new parent takes the place of the one before", () => {
  const headers = [header("x", "1"), header("traceparent", UNSAMPLED), header("tracestate", "v")]
  expect(traceHeaders(headers)).toEqual(headers.slice(1))
  expect(traceHeaders([header("tracestate", "v")])).toBeUndefined()
  const parent = { traceId: TRACE, spanId: "b7ad6b7169203331", traceFlags: 1 }
  expect(withParent(headers, parent)).toEqual([headers[0], headers[2], header("traceparent", SAMPLED)])
})
