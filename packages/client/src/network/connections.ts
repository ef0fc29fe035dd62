/**
 * The connections of one client: at most one per node and lane, opened when first asked for.
 *
 * A lane keeps requests that the broker holds back (a long-polling Fetch, a JoinGroup) from delaying others: a broker
 * answers a connection's requests one after another. After a failure the next attempt waits, longer each time.
 */
import { type Address, sleep } from "@millrace/host"
import { ClosedError } from "../errors.ts"
import type { ClientEnv } from "../options.ts"
import { backoffDelay } from "./backoff.ts"
import type { RequestFigures } from "../telemetry/requests.ts"
import { BrokerConnection } from "./connection.ts"

interface Slot {
  open: BrokerConnection | undefined
  opening: Promise<BrokerConnection> | undefined
  failures: number
  retryAt: number
}

export class Connections {
  readonly #env: ClientEnv
  readonly #figures: RequestFigures
  readonly #slots = new Map<string, Slot>()
  readonly #aborter = new AbortController()

  constructor(env: ClientEnv, figures: RequestFigures) {
    this.#env = env
    this.#figures = figures
  }

  /** The open connection of this key, if there is one. */
  peek(key: string): BrokerConnection | undefined {
    const open = this.#slots.get(key)?.open
    return open?.isOpen ? open : undefined
  }

  /** The connection of this key; waits out the backoff. Rejects with a `NetError` when the attempt fails. */
  get(key: string, address: Address): Promise<BrokerConnection> {
    if (this.#aborter.signal.aborted) return Promise.reject(new ClosedError("the client is closed"))
    let slot = this.#slots.get(key)
    if (!slot) this.#slots.set(key, (slot = { open: undefined, opening: undefined, failures: 0, retryAt: 0 }))
    const { open } = slot
    if (open?.isOpen && open.address.host === address.host && open.address.port === address.port) {
      return Promise.resolve(open)
    }
    return (slot.opening ??= this.#open(slot, key, address))
  }

  /** True while an attempt would first have to wait. */
  isBackingOff(key: string): boolean {
    const slot = this.#slots.get(key)
    return slot !== undefined && !slot.open?.isOpen && slot.retryAt > this.#env.clock.monotonic()
  }

  close(): void {
    this.#aborter.abort(new ClosedError("the client is closed"))
    for (const slot of this.#slots.values()) slot.open?.close()
    this.#slots.clear()
  }

  async #open(slot: Slot, key: string, address: Address): Promise<BrokerConnection> {
    const { clock, net, random, reconnectBackoffMs: initialMs, reconnectBackoffMaxMs: maxMs } = this.#env
    const failed = () => {
      slot.retryAt = clock.monotonic() + backoffDelay({ initialMs, maxMs }, slot.failures++, random)
    }
    try {
      const delay = slot.retryAt - clock.monotonic()
      if (delay > 0) await sleep(clock, delay, this.#aborter.signal)
      const node = `node-${key.split(" ")[0]}`
      const onAnswered = (ms: number) => this.#figures.answered(node, ms)
      const connection = await BrokerConnection.open(net, clock, address, { ...this.#env, onAnswered })
      this.#figures.connected()
      if (this.#aborter.signal.aborted) {
        connection.close()
        throw this.#aborter.signal.reason
      }
      slot.open = connection
      slot.failures = 0
      connection.onClose(() => {
        if (slot.open === connection) {
          slot.open = undefined
          failed()
        }
      })
      return connection
    } catch (error) {
      failed()
      throw error
    } finally {
      slot.opening = undefined
    }
  }
}
