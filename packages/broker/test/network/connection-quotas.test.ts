/** New connections against limits and rates: KIP-402, KIP-612. */
import type { Address } from "@millrace/host"
import { expect, test } from "vitest"
import { type ConnectionLimits, ConnectionQuotas, type SharedLimits } from "../../src/network/connection-quotas.ts"

const UNLIMITED = 2_147_483_647

function quotas(
  limits: Partial<ConnectionLimits> = {},
  ipRate: (ip: string) => number | undefined = () => undefined,
  ofListeners: Record<string, Partial<SharedLimits>> = {},
) {
  const some = new ConnectionQuotas({
    limits: () => ({
      connectionsMax: UNLIMITED,
      perIpMax: UNLIMITED,
      perIpOverrides: new Map(),
      creationRate: UNLIMITED,
      ...limits,
    }),
    listenerLimits: (listener) => ({ connectionsMax: UNLIMITED, creationRate: UNLIMITED, ...ofListeners[listener] }),
    ipRate,
    windows: { samples: 11, windowMs: 1_000 },
  })
  return {
    admit(remote: Address, nowMs: number, listener = "PLAINTEXT") {
      const admission = some.admit(listener, remote, nowMs)
      return { afterMs: 0, refusal: undefined, waitsFor: undefined, ...admission }
    },
    release: (remote: Address, listener = "PLAINTEXT") => some.release(listener, remote),
  }
}

const IN_AT_ONCE = { afterMs: 0, refusal: undefined, waitsFor: undefined }

const from = (host: string) => ({ host, port: 1 })

test("max.connections: the next one waits until another ends", () => {
  const some = quotas({ connectionsMax: 2 })
  expect(some.admit(from("10.0.0.1"), 0)).toEqual(IN_AT_ONCE)
  expect(some.admit(from("10.0.0.2"), 0)).toEqual(IN_AT_ONCE)
  expect(some.admit(from("10.0.0.3"), 0).waitsFor).toBe("max.connections")
  some.release(from("10.0.0.1"))
  expect(some.admit(from("10.0.0.3"), 0)).toEqual(IN_AT_ONCE)
})

test("a listener has limits of its own beside those of the broker", () => {
  const some = quotas({ connectionsMax: 3 }, undefined, { INSIDE: { connectionsMax: 1 }, SLOW: { creationRate: 1 } })
  expect(some.admit(from("10.0.0.1"), 0, "INSIDE")).toEqual(IN_AT_ONCE)
  expect(some.admit(from("10.0.0.1"), 0, "INSIDE").waitsFor).toBe("max.connections of listener INSIDE")
  expect(some.admit(from("10.0.0.1"), 0)).toEqual(IN_AT_ONCE)
  expect(some.admit(from("10.0.0.1"), 0)).toEqual(IN_AT_ONCE)
  expect(some.admit(from("10.0.0.1"), 0).waitsFor).toBe("max.connections")
  some.release(from("10.0.0.1"), "INSIDE")
  expect(some.admit(from("10.0.0.1"), 0, "INSIDE")).toEqual(IN_AT_ONCE)

  const rates = quotas({}, undefined, { SLOW: { creationRate: 1 } })
  const slow = Array.from({ length: 12 }, () => rates.admit(from("10.0.0.1"), 0, "SLOW").afterMs)
  expect(slow.filter((ms) => ms === 0)).toHaveLength(10)
  expect(rates.admit(from("10.0.0.1"), 0)).toEqual(IN_AT_ONCE)
})

test("max.connections.per.ip counts each address, with others for some; IPv4 is one address in both of its forms", () => {
  const some = quotas({ perIpMax: 1, perIpOverrides: new Map([["10.0.0.2", 2]]) })
  expect(some.admit(from("10.0.0.1"), 0).refusal).toBeUndefined()
  expect(some.admit(from("::ffff:10.0.0.1"), 0).refusal).toContain("max.connections.per.ip")
  expect(some.admit(from("10.0.0.2"), 0).refusal).toBeUndefined()
  expect(some.admit(from("10.0.0.2"), 0).refusal).toBeUndefined()
  expect(some.admit(from("10.0.0.2"), 0).refusal).toBeDefined()
  some.release(from("::ffff:10.0.0.1"))
  expect(some.admit(from("10.0.0.1"), 0).refusal).toBeUndefined()
})

test("max.connection.creation.rate: those above it wait in their order, and begin at the rate", () => {
  const some = quotas({ creationRate: 10 })
  const begins = Array.from({ length: 200 }, () => some.admit(from("10.0.0.1"), 0).afterMs)
  // What all windows may hold comes at once.
  expect(begins.filter((ms) => ms === 0)).toHaveLength(100)
  expect(begins).toEqual([...begins].sort((a, b) => a - b))
  const last = begins.at(-1)!
  expect(last).toBeGreaterThan(9_000)
  expect(last).toBeLessThan(13_000)
})

test("connection_creation_rate: what is too much for one address is closed after a while, and others are let in", () => {
  const some = quotas({}, (ip) => (ip === "10.0.0.1" ? 1 : undefined))
  const first = Array.from({ length: 12 }, () => some.admit(from("10.0.0.1"), 0))
  expect(first.filter(({ refusal }) => refusal === undefined)).toHaveLength(10)
  expect(first.at(-1)!.afterMs).toBeGreaterThan(0)
  expect(first.at(-1)!.afterMs).toBeLessThanOrEqual(1_000)
  expect(some.admit(from("10.0.0.2"), 0)).toEqual(IN_AT_ONCE)
  expect(some.admit(from("10.0.0.1"), 11_000).refusal).toBeUndefined()
})
