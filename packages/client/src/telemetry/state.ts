/**
 * When a client asks for its telemetry subscription, when it pushes, and when it stops (KIP-714). Pure: answers and the time go
 * in, what is due next comes out.
 *
 *     ask     -> nothing wanted: ask again an interval later
 *             -> some metrics wanted: push, the first time somewhere around an interval later, so that clients spread
 *     push    -> push again an interval later
 *             -> the subscription has changed, or a codec is refused: ask at once, the second time in a row an interval later
 *             -> too large, or throttled: ask an interval later
 *     off     the cluster does not serve it, or takes a request of ours for invalid: nothing more is sent
 *
 * Whatever an answer says of throttling is waited for. The last push, when the client closes, waits for nothing.
 */
import type { Random } from "@millrace/host"
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { GetTelemetrySubscriptionsResponse } from "@millrace/protocol/messages/get-telemetry-subscriptions"
import type { PushTelemetryResponse } from "@millrace/protocol/messages/push-telemetry"
import { type Compression, compressionOf } from "@millrace/protocol/record/compression"

/** Where the cluster names no interval. */
export const TELEMETRY_INTERVAL_MS = 300_000

export interface TelemetrySubscription {
  readonly subscriptionId: number
  readonly intervalMs: number
  readonly compression: Compression
  /** Of a push as it is sent. */
  readonly bytesMax: number
  readonly isDelta: boolean
  /** Beginnings of the names that are wanted. */
  readonly wanted: readonly string[]
}

export type TelemetryStep = "ask" | "push" | "off"

export class TelemetryState {
  readonly #random: Random
  readonly #refused = new Set<Compression>()
  #step: TelemetryStep = "ask"
  #dueAt: number
  #hasPushed = false
  /** Asked at once because of the last push. */
  #isHasty = false
  #instance: string = ZERO_UUID
  subscription: TelemetrySubscription | undefined

  constructor(random: Random, now: number) {
    this.#random = random
    this.#dueAt = now
  }

  get step(): TelemetryStep {
    return this.#step
  }

  /** In monotonic milliseconds. */
  get dueAt(): number {
    return this.#dueAt
  }

  /** That the cluster gave this client; all zeros before. */
  get clientInstanceId(): string {
    return this.#instance
  }

  subscribed(now: number, answer: GetTelemetrySubscriptionsResponse): void {
    if (answer.errorCode !== ErrorCode.NONE) return this.#refusedWith(now, answer)
    const intervalMs = answer.pushIntervalMs > 0 ? answer.pushIntervalMs : TELEMETRY_INTERVAL_MS
    const accepted = answer.acceptedCompressionTypes.map(compressionOf)
    this.#instance = answer.clientInstanceId
    this.subscription = {
      subscriptionId: answer.subscriptionId,
      intervalMs,
      compression: accepted.find((one) => one !== undefined && !this.#refused.has(one)) ?? "none",
      bytesMax: answer.telemetryMaxBytes,
      isDelta: answer.deltaTemporality,
      wanted: answer.requestedMetrics,
    }
    this.#step = answer.requestedMetrics.length > 0 ? "push" : "ask"
    const isFirst = this.#step === "push" && !this.#hasPushed
    const waitMs = this.#isHasty ? 0 : isFirst ? intervalMs * (0.5 + this.#random.float()) : intervalMs
    this.#wait(now, Math.round(waitMs), answer.throttleTimeMs)
  }

  pushed(now: number, answer: PushTelemetryResponse): void {
    if (answer.errorCode !== ErrorCode.NONE) return this.#refusedWith(now, answer)
    this.#hasPushed = true
    this.#isHasty = false
    this.#wait(now, this.subscription!.intervalMs, answer.throttleTimeMs)
  }

  /** No answer came. */
  failed(now: number): void {
    this.#step = "ask"
    this.#isHasty = false
    this.#wait(now, TELEMETRY_INTERVAL_MS)
  }

  stop(): void {
    this.#step = "off"
  }

  #refusedWith(now: number, { errorCode, throttleTimeMs }: PushTelemetryResponse): void {
    const intervalMs = this.subscription?.intervalMs ?? TELEMETRY_INTERVAL_MS
    this.#step = "ask"
    switch (errorCode) {
      case ErrorCode.UNKNOWN_SUBSCRIPTION_ID:
      case ErrorCode.UNSUPPORTED_COMPRESSION_TYPE: {
        if (errorCode === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE) this.#refused.add(this.subscription!.compression)
        this.#wait(now, this.#isHasty ? intervalMs : 0, throttleTimeMs)
        this.#isHasty = !this.#isHasty
        return
      }
      case ErrorCode.TELEMETRY_TOO_LARGE:
      case ErrorCode.THROTTLING_QUOTA_EXCEEDED:
        this.#isHasty = false
        return this.#wait(now, intervalMs, throttleTimeMs)
      default:
        this.#step = "off"
    }
  }

  #wait(now: number, ms: number, throttleMs = 0): void {
    this.#dueAt = now + Math.max(ms, throttleMs)
  }
}

/** Whether a metric is one of those that are wanted: "*" means all. */
export const isWanted = (wanted: readonly string[], name: string): boolean =>
  wanted.some((prefix) => prefix === "*" || name.startsWith(prefix))
