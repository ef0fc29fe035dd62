/**
 * When a client asks, pushes and stops: each kind of answer.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { expect, test } from "vitest"
import { isWanted, TELEMETRY_INTERVAL_MS, TelemetryState } from "../../src/telemetry/state.ts"

const INSTANCE = "AAAAAAAAAAAAAAAAAAAAEA"
const INTERVAL = 10_000
/** Ids of codecs: zstd, lz4, none. */
const [NONE, LZ4, ZSTD] = [0, 3, 4]

const subscription = {
  throttleTimeMs: 0,
  errorCode: ErrorCode.NONE,
  clientInstanceId: INSTANCE,
  subscriptionId: 7,
  acceptedCompressionTypes: [ZSTD, LZ4, NONE],
  pushIntervalMs: INTERVAL,
  telemetryMaxBytes: 1_000,
  deltaTemporality: true,
  requestedMetrics: ["org.apache.kafka.consumer."],
}

/** At 100 ms: one that has asked, and has been told what is wanted. */
function subscribed(float = 0.5) {
  const state = new TelemetryState({ float: () => float } as never, 100)
  state.subscribed(100, subscription)
  return state
}

const answer = (errorCode: number, throttleTimeMs = 0) => ({ errorCode, throttleTimeMs })
const of = ({ step, dueAt }: TelemetryState) => [step, dueAt]

test("O8: it asks at once, without an id, and pushes first around an interval later", () => {
  const state = new TelemetryState({ float: () => 0.5 } as never, 100)
  expect([...of(state), state.clientInstanceId, state.subscription]).toEqual(["ask", 100, ZERO_UUID, undefined])
  expect([of(subscribed(0)), of(subscribed()), of(subscribed(0.999))]).toEqual([
    ["push", 100 + INTERVAL / 2],
    ["push", 100 + INTERVAL],
    ["push", 100 + 14_990],
  ])
  expect(subscribed().clientInstanceId).toBe(INSTANCE)
  expect(subscribed().subscription).toMatchObject({
    subscriptionId: 7,
    compression: "zstd",
    bytesMax: 1_000,
    isDelta: true,
  })
})

test("O8: it pushes once an interval, and later where it is throttled", () => {
  const state = subscribed()
  state.pushed(20_000, answer(ErrorCode.NONE))
  expect(of(state)).toEqual(["push", 30_000])
  state.pushed(30_000, answer(ErrorCode.NONE, 90_000))
  expect(of(state)).toEqual(["push", 120_000])
})

test("O8: nothing wanted is asked again an interval later; an interval that is none is five minutes", () => {
  const state = subscribed()
  state.subscribed(500, { ...subscription, requestedMetrics: [] })
  expect(of(state)).toEqual(["ask", 500 + INTERVAL])
  state.subscribed(600, { ...subscription, requestedMetrics: [], pushIntervalMs: 0 })
  expect(of(state)).toEqual(["ask", 600 + TELEMETRY_INTERVAL_MS])
})

test.each<[keyof typeof ErrorCode, string, number]>([
  ["UNKNOWN_SUBSCRIPTION_ID", "ask", 0],
  ["UNSUPPORTED_COMPRESSION_TYPE", "ask", 0],
  ["TELEMETRY_TOO_LARGE", "ask", INTERVAL],
  ["THROTTLING_QUOTA_EXCEEDED", "ask", INTERVAL],
])("O8: a push that is answered %s leads to another question", (name, step, waitMs) => {
  const state = subscribed()
  state.pushed(20_000, answer(ErrorCode[name]))
  expect(of(state)).toEqual([step, 20_000 + waitMs])
})

test.each(["INVALID_REQUEST", "INVALID_RECORD", "UNSUPPORTED_VERSION", "CLUSTER_AUTHORIZATION_FAILED"] as const)(
  "O8: %s ends it",
  (name) => {
    const pushed = subscribed()
    pushed.pushed(20_000, answer(ErrorCode[name]))
    const asked = subscribed()
    asked.subscribed(20_000, { ...subscription, errorCode: ErrorCode[name] })
    expect([pushed.step, asked.step]).toEqual(["off", "off"])
  },
)

test("O8: a subscription that changes again and again is not asked for without a pause", () => {
  const state = subscribed()
  state.pushed(20_000, answer(ErrorCode.UNKNOWN_SUBSCRIPTION_ID))
  state.subscribed(20_000, subscription)
  expect(of(state)).toEqual(["push", 20_000])
  state.pushed(20_000, answer(ErrorCode.UNKNOWN_SUBSCRIPTION_ID))
  expect(of(state)).toEqual(["ask", 20_000 + INTERVAL])
})

test("O8: a codec that was refused is not taken again", () => {
  const state = subscribed()
  for (const [left, time] of [
    ["lz4", 20_000],
    ["none", 40_000],
  ] as const) {
    state.pushed(time, answer(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE))
    state.subscribed(time, subscription)
    expect(state.subscription!.compression).toBe(left)
  }
  state.subscribed(50_000, { ...subscription, acceptedCompressionTypes: [99] })
  expect(state.subscription!.compression).toBe("none")
})

test("O8: without an answer it asks again five minutes later", () => {
  const state = subscribed()
  state.failed(20_000)
  expect(of(state)).toEqual(["ask", 20_000 + TELEMETRY_INTERVAL_MS])
  expect(state.clientInstanceId).toBe(INSTANCE)
})

test("O8: metrics are wanted by how their names begin", () => {
  const name = "org.apache.kafka.consumer.connection.creation.total"
  expect(isWanted(["*"], name)).toBe(true)
  expect(isWanted(["org.apache.kafka.producer.", "org.apache.kafka.consumer.connection."], name)).toBe(true)
  expect(isWanted(["org.apache.kafka.producer."], name)).toBe(false)
  expect(isWanted([], name)).toBe(false)
})
