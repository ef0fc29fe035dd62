/**
 * Whether a new connection is taken, and when: how many there are in all and from one address, and how many come per second
 * on the broker, on a listener and from an address (KIP-402, KIP-612).
 *
 * Rates of broker and listener make connections wait in the order they came: each begins once the rate allows it. One that
 * is too many for its address is closed, after as long a wait, so that its client does not try again at once.
 */
import type { Address } from "@millrace/host"
import { Rate, type Windows } from "../quota/rate.ts"

export interface ConnectionLimits {
  /** max.connections */
  readonly connectionsMax: number
  /** max.connections.per.ip */
  readonly perIpMax: number
  /** max.connections.per.ip.overrides */
  readonly perIpOverrides: ReadonlyMap<string, number>
  /** max.connection.creation.rate */
  readonly creationRate: number
}

export interface ConnectionQuotasOptions {
  /** As they are now. */
  readonly limits: () => ConnectionLimits
  /** Of the client quotas: connections per second from this address. */
  readonly ipRate: (ip: string) => number | undefined
  /** quota.window.* */
  readonly windows: Windows
}

export interface Admission {
  /** How long the connection waits before anything is done with it. */
  readonly afterMs: number
  /** Why it is closed then. */
  readonly refusal?: string
}

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i

export class ConnectionQuotas {
  readonly #options: ConnectionQuotasOptions
  readonly #open = new Map<string, number>()
  readonly #rate: Rate
  readonly #ipRates = new Map<string, Rate>()
  #total = 0
  /** When the last one that had to wait begins: those that come later do not overtake it. */
  #queuedUntilMs = 0

  constructor(options: ConnectionQuotasOptions) {
    this.#options = options
    this.#rate = new Rate(options.windows)
  }

  /** One that is not refused counts until it is released. */
  admit(remote: Address, nowMs: number): Admission {
    const { connectionsMax, perIpMax, perIpOverrides, creationRate } = this.#options.limits()
    const ip = plain(remote.host)
    if (this.#total >= connectionsMax) return { afterMs: 0, refusal: "max.connections is reached" }
    const open = this.#open.get(ip) ?? 0
    if (open >= (perIpOverrides.get(ip) ?? perIpMax))
      return { afterMs: 0, refusal: `max.connections.per.ip is reached, with ${open} of this address` }
    const refusedMs = this.#ipThrottleMs(ip, nowMs)
    if (refusedMs > 0)
      return { afterMs: refusedMs, refusal: "this address makes more connections than its quota allows" }
    this.#open.set(ip, open + 1)
    this.#total++
    return { afterMs: this.#queueMs(creationRate, nowMs) }
  }

  release(remote: Address): void {
    const ip = plain(remote.host)
    const open = this.#open.get(ip)!
    if (open === 1) this.#open.delete(ip)
    else this.#open.set(ip, open - 1)
    this.#total--
  }

  #queueMs(creationRate: number, nowMs: number): number {
    const turnMs = Math.max(nowMs, this.#queuedUntilMs)
    this.#rate.record(1, turnMs)
    this.#queuedUntilMs = turnMs + this.#bounded(this.#rate.msAbove(creationRate, turnMs))
    return this.#queuedUntilMs - nowMs
  }

  #ipThrottleMs(ip: string, nowMs: number): number {
    const limit = this.#options.ipRate(ip)
    if (limit === undefined) {
      this.#ipRates.delete(ip)
      return 0
    }
    this.#forgetIdle(nowMs)
    const rate = this.#ipRates.get(ip) ?? new Rate(this.#options.windows)
    this.#ipRates.set(ip, rate)
    rate.record(1, nowMs)
    const throttleMs = this.#bounded(rate.msAbove(limit, nowMs))
    if (throttleMs > 0) rate.record(-1, nowMs)
    return throttleMs
  }

  #bounded(ms: number): number {
    return Math.min(ms, this.#options.windows.windowMs)
  }

  #forgetIdle(nowMs: number): void {
    if (this.#ipRates.size < IP_RATES_MAX) return
    for (const [ip, rate] of this.#ipRates) if (rate.perSecond(nowMs) === 0) this.#ipRates.delete(ip)
  }
}

/** Addresses above which those that have made no connection lately are forgotten. */
const IP_RATES_MAX = 1_000

const plain = (host: string) => host.replace(MAPPED_IPV4, "")
