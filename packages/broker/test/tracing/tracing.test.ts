/** Spans of requests, as a tracer provider's SDK gets them from a broker that serves. */
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api"
import { AlwaysOffSampler, BasicTracerProvider, InMemorySpanExporter } from "@opentelemetry/sdk-trace-base"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { ErrorCode } from "@millrace/protocol"
import { afterEach, expect, test } from "vitest"
import { firstError } from "../../src/tracing/first-error.ts"
import { findRequestTracing } from "../../src/tracing/find-tracing.ts"
import { batch, start } from "../harness.ts"

afterEach(() => trace.disable())

async function traced(sampler?: AlwaysOffSampler) {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampler && { sampler }),
  })
  trace.setGlobalTracerProvider(provider)
  const started = await start({}, { tracing: await findRequestTracing() })
  const client = await started.client("me")
  return { client, spans: (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name) }
}

test("a request is a span of the server: who asked, how much, and no error", async () => {
  const { client, spans } = await traced()
  await client.createTopic("t")
  await client.produce("t", batch(["a"]))
  const [span, ...more] = spans("Produce")
  expect(more).toEqual([])
  expect(span).toMatchObject({ kind: SpanKind.SERVER, status: { code: SpanStatusCode.UNSET } })
  expect(span!.parentSpanContext).toBeUndefined()
  expect(span!.attributes).toMatchObject({
    "messaging.system": "kafka",
    "messaging.client.id": "me",
    "network.peer.address": expect.any(String),
    "millrace.principal": "User:ANONYMOUS",
    "millrace.api.version": expect.any(Number),
  })
  expect(span!.attributes["millrace.request.bytes"]).toBeGreaterThan(batch(["a"]).length)
  expect(span!.attributes["millrace.response.bytes"]).toBeGreaterThan(0)
})

test("an error of one partition is the span's", async () => {
  const { client, spans } = await traced()
  await client.createTopic("t")
  const damaged = batch(["a"])
  damaged[damaged.length - 1]! ^= 1
  expect((await client.produce("t", damaged)).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
  const [span] = spans("Produce")
  expect(span!.status.code).toBe(SpanStatusCode.ERROR)
  expect(span!.attributes["error.type"]).toBe("CORRUPT_MESSAGE")
})

test("what the sampler passes over leaves nothing", async () => {
  const { client, spans } = await traced(new AlwaysOffSampler())
  await client.createTopic("t")
  expect(spans("CreateTopics")).toEqual([])
})

test("without a tracer provider nothing of it is there", async () => {
  expect(await findRequestTracing()).toBeUndefined()
})

test("the look for an error goes down to where messages keep it, not into bytes, and ends", () => {
  const at = (errorCode: number) => ({ errorCode: 0, topics: [{ partitions: [{ index: 0, errorCode }] }] })
  expect(firstError(at(ErrorCode.NONE))).toBe(ErrorCode.NONE)
  expect(firstError(at(ErrorCode.NOT_LEADER_OR_FOLLOWER))).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  expect(firstError({ records: new Uint8Array(1_000_000), errorCode: 7 })).toBe(7)
  const endless: { inner?: unknown; errorCode: number } = { errorCode: 0 }
  endless.inner = endless
  expect(firstError(endless)).toBe(ErrorCode.NONE)
})
