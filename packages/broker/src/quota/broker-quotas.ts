/**
 * What clients have used of their quotas on this broker, and how long that holds them back (KIP-13, KIP-124, KIP-599).
 *
 * Used by whoever shares an allowance. A request that was carried out is answered at once with the time its connection is
 * left alone (KIP-219). State: rates of the last windows, in memory: a restart forgives.
 */
import type { Clock } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { Refusal } from "../controller/refusal.ts"
import type { Allowance, ClientQuotaKey, ClientQuotas } from "./client-quotas.ts"
import { Rate, type Windows } from "./rate.ts"
import { TokenBucket } from "./token-bucket.ts"

/** Who asks: a request's context is one. */
export interface QuotaClient {
  /** `User:alice` */
  readonly principal: string
  readonly clientId: string | null
}

export interface BrokerQuotasOptions {
  readonly clock: Clock
  readonly quotas: ClientQuotas
  /** quota.window.* */
  readonly windows: Windows
  /** controller.quota.window.* */
  readonly mutationWindows: Windows
}

/** What a request may change of the cluster's partitions. Throws a Refusal once that is used up and `isStrict` says so. */
export interface MutationQuota {
  charge(partitions: number): void
  /** How long to hold the client back for what was charged, or refused. */
  readonly throttleMs: number
}

type RateKey = Exclude<ClientQuotaKey, "controller_mutation_rate">

/** After so long without use a rate is zero, and forgotten. */
const FORGET_AFTER_MS = 3_600_000
const FORGET_EVERY_MS = 60_000

/** Meters by who shares them. */
class Meters<M> {
  readonly #create: () => M
  readonly #meters = new Map<string, { readonly meter: M; usedAtMs: number }>()
  #sweptAtMs = 0

  constructor(create: () => M) {
    this.#create = create
  }

  get(sharedBy: string, nowMs: number): M {
    let found = this.#meters.get(sharedBy)
    if (found === undefined) {
      this.#sweep(nowMs)
      this.#meters.set(sharedBy, (found = { meter: this.#create(), usedAtMs: nowMs }))
    }
    found.usedAtMs = nowMs
    return found.meter
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < FORGET_EVERY_MS) return
    this.#sweptAtMs = nowMs
    for (const [name, { usedAtMs }] of this.#meters) {
      if (nowMs - usedAtMs > FORGET_AFTER_MS) this.#meters.delete(name)
    }
  }
}

export class BrokerQuotas {
  readonly #options: BrokerQuotasOptions
  readonly #rates: Record<RateKey, Meters<Rate>>
  readonly #buckets: Meters<TokenBucket>

  constructor(options: BrokerQuotasOptions) {
    this.#options = options
    const rates = () => new Meters(() => new Rate(options.windows))
    this.#rates = { producer_byte_rate: rates(), consumer_byte_rate: rates(), request_percentage: rates() }
    this.#buckets = new Meters(() => new TokenBucket(options.mutationWindows))
  }

  /** Bytes of a produce request. */
  produced(client: QuotaClient, bytes: number): number {
    return this.#record("producer_byte_rate", client, bytes)
  }

  /**
   * Bytes that were read for a fetch. Those that are too many are not sent and do not count; but a batch larger than the
   * whole quota, which would never be sent so, is when nothing came before it.
   */
  fetched(client: QuotaClient, bytes: number): { readonly throttleMs: number; readonly isSent: boolean } {
    const held = this.#held("consumer_byte_rate", client)
    if (held === undefined) return { throttleMs: 0, isSent: true }
    const { rate, limit, now } = held
    const isFirst = rate.perSecond(now) === 0
    rate.record(bytes, now)
    const throttleMs = rate.msAbove(limit, now)
    const isSent = throttleMs === 0 || isFirst
    if (!isSent) rate.record(-bytes, now)
    return { throttleMs, isSent }
  }

  /** Bytes that one fetch can have without being held back when none came before it: more would never be sent. */
  fetchBytesMax(client: QuotaClient): number {
    const { windows } = this.#options
    const allowance = this.#allowance("consumer_byte_rate", client)
    if (allowance === undefined) return Number.POSITIVE_INFINITY
    return (allowance.limit * (windows.samples - 1) * windows.windowMs) / 1_000
  }

  /** Time of this thread that a request took; held back by no more than a window. */
  worked(client: QuotaClient, ms: number): number {
    return Math.min(this.#record("request_percentage", client, ms / 10), this.#options.windows.windowMs)
  }

  /** Strict: over the quota nothing is changed any more. Else it is changed, and the client held back. */
  mutations(client: QuotaClient, isStrict: boolean): MutationQuota {
    const allowance = this.#allowance("controller_mutation_rate", client)
    if (allowance === undefined) return UNLIMITED
    const { limit, sharedBy } = allowance
    const { clock } = this.#options
    const bucket = this.#buckets.get(sharedBy, clock.monotonic())
    let throttleMs = 0
    return {
      charge(partitions) {
        const now = clock.monotonic()
        if (isStrict) throttleMs = bucket.msBelowZero(limit, now)
        if (throttleMs > 0 && isStrict)
          throw new Refusal(ErrorCode.THROTTLING_QUOTA_EXCEEDED, "The throttling quota has been exceeded.")
        bucket.spend(partitions, limit, now)
        if (!isStrict) throttleMs = bucket.msBelowZero(limit, now)
      },
      get throttleMs() {
        return throttleMs
      },
    }
  }

  #record(key: RateKey, client: QuotaClient, value: number): number {
    const held = this.#held(key, client)
    if (held === undefined) return 0
    const { rate, limit, now } = held
    rate.record(value, now)
    return rate.msAbove(limit, now)
  }

  #held(key: RateKey, client: QuotaClient) {
    const allowance = this.#allowance(key, client)
    if (allowance === undefined) return undefined
    const now = this.#options.clock.monotonic()
    return { rate: this.#rates[key].get(allowance.sharedBy, now), limit: allowance.limit, now }
  }

  #allowance(key: ClientQuotaKey, { principal, clientId }: QuotaClient): Allowance | undefined {
    const { quotas } = this.#options
    // Most clusters have no quota, and pay nothing for it.
    if (!quotas.isSet(key)) return undefined
    return quotas.allowance(key, principal.slice(principal.indexOf(":") + 1), clientId ?? "")
  }
}

const UNLIMITED: MutationQuota = { charge: () => {}, throttleMs: 0 }
