/**
 * Whether a new connection is taken, and when: how many there are in all, on its listener and from its address, and how many
 * come per second on the broker, on the listener and from the address (KIP-402, KIP-612).
 *
 * Where the broker or the listener has as many as it may, the next one waits until another ends. Rates of both make
 * connections wait in the order they came: each begins once the rates allow it. One that is too many for its address is
 * closed, after as long a wait, so that its client does not try again at once.
 */
import { type Address, plainHost } from "@millrace/host"
import { Rate, type Windows } from "../quota/rate.ts"

/** Of the broker, or of one listener. */
export interface SharedLimits {
  /** max.connections */
  readonly connectionsMax: number
  /** max.connection.creation.rate */
  readonly creationRate: number
}

export interface ConnectionLimits extends SharedLimits {
  /** max.connections.per.ip */
  readonly perIpMax: number
  /** max.connections.per.ip.overrides */
  readonly perIpOverrides: ReadonlyMap<string, number>
}

export interface ConnectionQuotasOptions {
  /** As they are now. */
  readonly limits: () => ConnectionLimits
  /** Of one listener. */
  readonly listenerLimits: (listener: string) => SharedLimits
  /** Of the client quotas: connections per second from this address. */
  readonly ipRate: (ip: string) => number | undefined
  /** quota.window.* */
  readonly windows: Windows
}

export type Admission =
  /** It may begin after so long, or is closed then: `refusal` says why. */
  | { readonly afterMs: number; readonly refusal?: string }
  /** There is no room: ask again when a connection has ended. The setting that says so. */
  | { readonly waitsFor: string }

/** What is counted of the broker, and of each listener. */
interface Share {
  open: number
  readonly rate: Rate
  /** When the last one that had to wait begins: those that come later do not overtake it. */
  queuedUntilMs: number
}

export class ConnectionQuotas {
  readonly #options: ConnectionQuotasOptions
  readonly #open = new Map<string, number>()
  readonly #ipRates = new Map<string, Rate>()
  readonly #broker: Share
  readonly #listeners = new Map<string, Share>()

  constructor(options: ConnectionQuotasOptions) {
    this.#options = options
    this.#broker = this.#newShare()
  }

  /** One that neither waits nor is refused counts until it is released. */
  admit(listener: string, remote: Address, nowMs: number): Admission {
    const limits = this.#options.limits()
    const { perIpMax, perIpOverrides } = limits
    const ownLimits = this.#options.listenerLimits(listener)
    const own = this.#shareOf(listener)
    if (this.#broker.open >= limits.connectionsMax) return { waitsFor: "max.connections" }
    if (own.open >= ownLimits.connectionsMax) return { waitsFor: `max.connections of listener ${listener}` }
    const ip = plainHost(remote.host)
    const open = this.#open.get(ip) ?? 0
    if (open >= (perIpOverrides.get(ip) ?? perIpMax))
      return { afterMs: 0, refusal: `max.connections.per.ip is reached, with ${open} of this address` }
    const refusedMs = this.#ipThrottleMs(ip, nowMs)
    if (refusedMs > 0)
      return { afterMs: refusedMs, refusal: "this address makes more connections than its quota allows" }
    this.#open.set(ip, open + 1)
    this.#broker.open++
    own.open++
    const afterMs = Math.max(
      this.#queueMs(this.#broker, limits.creationRate, nowMs),
      this.#queueMs(own, ownLimits.creationRate, nowMs),
    )
    return { afterMs }
  }

  release(listener: string, remote: Address): void {
    const ip = plainHost(remote.host)
    const open = this.#open.get(ip)!
    if (open === 1) this.#open.delete(ip)
    else this.#open.set(ip, open - 1)
    this.#broker.open--
    this.#shareOf(listener).open--
  }

  #newShare(): Share {
    return { open: 0, rate: new Rate(this.#options.windows), queuedUntilMs: 0 }
  }

  #shareOf(listener: string): Share {
    let share = this.#listeners.get(listener)
    if (share === undefined) this.#listeners.set(listener, (share = this.#newShare()))
    return share
  }

  #queueMs(share: Share, creationRate: number, nowMs: number): number {
    const turnMs = Math.max(nowMs, share.queuedUntilMs)
    share.rate.record(1, turnMs)
    share.queuedUntilMs = turnMs + this.#bounded(share.rate.msAbove(creationRate, turnMs))
    return share.queuedUntilMs - nowMs
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
