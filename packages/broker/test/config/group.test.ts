/** What a group may have of its own, within the broker's bounds. */
import { defaults } from "@millrace/config"
import { describe, expect, test } from "vitest"
import { brokerConfig } from "@millrace/broker"
import { type BrokerConfig } from "../../src/config/broker.ts"
import { checkBounds, groupConfigFault, groupValues } from "../../src/config/group.ts"

const broker = (changes: Partial<BrokerConfig> = {}): BrokerConfig =>
  ({ ...defaults(brokerConfig), ...changes }) as never

describe("95: settings of a group", () => {
  test.each([
    ["consumer.session.timeout.ms", 45_000, 60_000],
    ["consumer.heartbeat.interval.ms", 5000, 15_000],
    ["streams.session.timeout.ms", 45_000, 60_000],
    ["streams.heartbeat.interval.ms", 5000, 15_000],
    ["streams.num.standby.replicas", 0, 2],
    ["streams.task.offset.interval.ms", 15_000, undefined],
    ["streams.initial.rebalance.delay.ms", 0, undefined],
    ["streams.acceptable.recovery.lag", 0, undefined],
  ])("%s is from %o to %o", (name, min, max) => {
    expect(groupConfigFault({ [name]: String(min) }, broker())).toBeUndefined()
    // Below zero the table itself refuses.
    if (min > 0) expect(groupConfigFault({ [name]: String(min - 1) }, broker())).toMatch(`${name} is ${min - 1}`)
    const high = max ?? 2_000_000_000
    expect(groupConfigFault({ [name]: String(high) }, broker())).toBeUndefined()
    if (max !== undefined)
      expect(groupConfigFault({ [name]: String(max + 1) }, broker())).toMatch(`no more than ${max}`)
  })

  test("a session lasts longer than the interval of its heartbeats, whichever of them is the broker's", () => {
    const wide = broker({
      "group.consumer.min.session.timeout.ms": 1,
      "group.consumer.max.heartbeat.interval.ms": 100_000,
    })
    const fault = "must be more than consumer.heartbeat.interval.ms"
    expect(groupConfigFault({ "consumer.session.timeout.ms": "5000" }, wide)).toMatch(fault)
    expect(groupConfigFault({ "consumer.session.timeout.ms": "5001" }, wide)).toBeUndefined()
    expect(groupConfigFault({ "consumer.heartbeat.interval.ms": "45000" }, wide)).toMatch(fault)
    const both = { "consumer.session.timeout.ms": "50000", "consumer.heartbeat.interval.ms": "49999" }
    expect(groupConfigFault(both, wide)).toBeUndefined()
  })

  test("what new bounds leave outside counts as the nearest inside; the broker's own value is not bounded", () => {
    const narrow = broker({ "group.consumer.min.session.timeout.ms": 50_000, "group.streams.max.standby.replicas": 1 })
    const own = { "consumer.session.timeout.ms": "45000", "streams.num.standby.replicas": "2" }
    expect(groupValues(own, {}, narrow)).toMatchObject({
      "consumer.session.timeout.ms": 50_000,
      "streams.num.standby.replicas": 1,
      "streams.session.timeout.ms": 45_000,
    })
    const given = { "group.consumer.session.timeout.ms": "46000" }
    expect(groupValues({}, given, narrow)["consumer.session.timeout.ms"]).toBe(46_000)
  })

  test("new bounds that put the heartbeats of a group outside its session shorten their interval", () => {
    const narrow = broker({
      "group.consumer.max.session.timeout.ms": 9_000,
      "group.consumer.min.session.timeout.ms": 6_000,
    })
    const own = { "consumer.session.timeout.ms": "45000", "consumer.heartbeat.interval.ms": "12000" }
    expect(groupValues(own, {}, narrow)).toMatchObject({
      "consumer.session.timeout.ms": 9_000,
      "consumer.heartbeat.interval.ms": 3_000,
      "streams.heartbeat.interval.ms": 5_000,
    })
  })

  test.each([
    ["group.consumer.min.session.timeout.ms", 60_001, "group.consumer.max.session.timeout.ms, which is 60000"],
    ["group.streams.min.heartbeat.interval.ms", 15_001, "group.streams.max.heartbeat.interval.ms, which is 15000"],
  ])("bounds with nothing between them are refused: %s=%i", (name, value, other) => {
    expect(() => checkBounds(broker({ [name]: value - 1 }))).not.toThrow()
    expect(() => checkBounds(broker({ [name]: value }))).toThrow(
      `config ${name} is ${value}: it must be at most ${other}`,
    )
  })
})
