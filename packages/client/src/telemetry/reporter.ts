/**
 * Pushes a client's metrics to its cluster when that asks for them (KIP-714).
 *
 * It begins with the first answer of the cluster, over a connection that is open anyway. A cluster that does not serve it is
 * asked nothing, and no timer runs. Nothing of it is the user's concern: what fails is tried again later, or never.
 */
import type { Timer } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { GetTelemetrySubscriptions } from "@millrace/protocol/messages/get-telemetry-subscriptions"
import { PushTelemetry } from "@millrace/protocol/messages/push-telemetry"
import { compress, compressionId } from "@millrace/protocol/record/compression"
import type { BrokerConnection } from "../network/connection.ts"
import type { ClientEnv } from "../options.ts"
import { untilDeadline } from "../signal.ts"
import { SumLedger, type TelemetryMetric, type TelemetrySource } from "./metric.ts"
import { encodeMetrics } from "./otlp.ts"
import { isWanted, TelemetryState, type TelemetrySubscription } from "./state.ts"

/** How long pushes may hold a close up: one that is on its way, and the last. */
const LAST_PUSH_MS = 1_000

export interface TelemetryReporterOptions {
  readonly env: ClientEnv
  /** Any connection to the cluster. */
  readonly connect: () => Promise<BrokerConnection>
  /** One that is open already. */
  readonly connected: () => BrokerConnection | undefined
}

export class TelemetryReporter {
  readonly #options: TelemetryReporterOptions
  readonly #sources: TelemetrySource[] = []
  readonly #startedAt: number
  #resource: Readonly<Record<string, string>> = {}
  #ledger = new SumLedger()
  #pushedAt: number
  #state: TelemetryState | undefined
  #timer: Timer | undefined
  #isBusy = false
  /** One that is on its way. */
  #pushing: Promise<unknown> | undefined
  #isClosed = false

  constructor(options: TelemetryReporterOptions) {
    this.#options = options
    this.#startedAt = options.env.clock.now()
    this.#pushedAt = this.#startedAt
  }

  /** Of the client, told with all its metrics. */
  describe(resource: Readonly<Record<string, string>>): void {
    this.#resource = resource
  }

  add(source: TelemetrySource): void {
    this.#sources.push(source)
  }

  /** The cluster has answered over this connection. */
  begin(connection: BrokerConnection): void {
    if (this.#state !== undefined || this.#isClosed) return
    const { clock, random } = this.#options.env
    this.#state = new TelemetryState(random, clock.monotonic())
    if (!connection.versions.supports(GetTelemetrySubscriptions)) this.#state.stop()
    this.#schedule()
  }

  /** Tells the last figures, if any are wanted: those that a push on its way does not tell. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    const { clock } = this.#options.env
    const deadline = clock.monotonic() + LAST_PUSH_MS
    if (this.#pushing !== undefined) {
      const answered = await untilDeadline(clock, this.#pushing, deadline).catch(() => undefined)
      // Whether it arrived is not known: a last one might tell the same growth twice.
      if (answered === undefined) return
    }
    const connection = this.#options.connected()
    if (this.#state?.step !== "push" || connection === undefined) return
    const withinMs = Math.max(0, deadline - clock.monotonic())
    await this.#push(connection, this.#state.subscription!, withinMs).catch(() => {})
  }

  #schedule(): void {
    this.#timer?.cancel()
    if (this.#state!.step === "off" || this.#isClosed) return
    const { clock } = this.#options.env
    const waitMs = Math.max(0, this.#state!.dueAt - clock.monotonic())
    this.#timer = clock.setTimer(waitMs, () => void this.#turn(), { background: true })
  }

  async #turn(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    const state = this.#state!
    const now = () => this.#options.env.clock.monotonic()
    try {
      const connection = await this.#options.connect()
      if (this.#isClosed) return
      // Of a cluster that is being upgraded some brokers serve it, and some do not.
      if (!connection.versions.supports(GetTelemetrySubscriptions)) state.failed(now())
      else if (state.step === "ask") {
        const { clientInstanceId } = state
        const before = state.subscription
        state.subscribed(now(), await connection.request(GetTelemetrySubscriptions, { clientInstanceId }))
        if (before !== undefined && before.isDelta !== state.subscription!.isDelta) this.#ledger = new SumLedger()
      } else {
        const pushing = this.#push(connection, state.subscription!).then((answer) => state.pushed(now(), answer))
        this.#pushing = pushing
        await pushing
      }
    } catch {
      state.failed(now())
    } finally {
      this.#pushing = undefined
      this.#isBusy = false
      this.#schedule()
    }
  }

  /** `lastWithinMs`: the client ends, and waits no longer for the answer. */
  async #push(connection: BrokerConnection, subscription: TelemetrySubscription, lastWithinMs?: number) {
    const { subscriptionId, compression, bytesMax, isDelta, wanted } = subscription
    const now = this.#options.env.clock.now()
    const all: readonly TelemetryMetric[] = this.#sources.flatMap((source) => source())
    const metrics = (isDelta ? this.#ledger.added(all) : all).filter(({ name }) => isWanted(wanted, name))
    const startedAt = isDelta ? this.#pushedAt : this.#startedAt
    const encoded = encodeMetrics({ resource: this.#resource, metrics, startedAt, now, isDelta })
    const bytes = compress(compression, encoded)
    if (bytes.length > bytesMax) return { throttleTimeMs: 0, errorCode: ErrorCode.TELEMETRY_TOO_LARGE }
    const answer = await connection.request(
      PushTelemetry,
      {
        clientInstanceId: this.#state!.clientInstanceId,
        subscriptionId,
        terminating: lastWithinMs !== undefined,
        compressionType: compressionId(compression),
        metrics: bytes,
      },
      lastWithinMs === undefined ? {} : { timeoutMs: lastWithinMs },
    )
    if (answer.errorCode === ErrorCode.NONE) {
      this.#ledger.arrived()
      this.#pushedAt = now
    }
    return answer
  }
}
