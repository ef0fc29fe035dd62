/**
 * What lies in the offsets and config topics, byte for byte, and what is made of it.
 */
import { describe, expect, it } from "vitest"
import { ConfigReplay, connectorRecord, targetRecord } from "../../src/store/config-record.ts"
import { offsetKey, offsetValue, partitionName, readOffset } from "../../src/store/source-offset.ts"

const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString("utf8")
const bytes = (value: string): Uint8Array => Buffer.from(value, "utf8")

describe("source offsets", () => {
  it("are written as Kafka Connect writes them", () => {
    expect(text(offsetKey("flights", { filename: "f.json" }))).toBe('["flights",{"filename":"f.json"}]')
    expect(text(offsetValue({ position: 47, record: 2 }))).toBe('{"position":47,"record":2}')
    expect(offsetValue(null)).toBeNull()
  })

  it("are equal whatever the order of their partition's fields", () => {
    expect(text(offsetKey("c", { b: 1, a: 2 }))).toBe(text(offsetKey("c", { a: 2, b: 1 })))
    expect(partitionName({ b: 1, a: 2 })).toBe(partitionName({ a: 2, b: 1 }))
  })

  it("hold primitives only", () => {
    expect(() => offsetKey("c", { a: {} as never })).toThrow(/a source partition holds text.*a is none/)
    expect(() => offsetValue({ a: undefined as never })).toThrow(/a source offset/)
  })

  it.each([
    ['["c",{"a":1}]', '{"p":2}', { connector: "c", partition: { a: 1 }, offset: { p: 2 } }],
    ['["c",{"a":1}]', null, { connector: "c", partition: { a: 1 }, offset: null }],
    ['["c"]', "{}", undefined],
    ['{"c":1}', "{}", undefined],
    ["not json", "{}", undefined],
    ['["c",{}]', "[1]", undefined],
  ])("reads %s -> %s", (key, value, expected) => {
    expect(readOffset(bytes(key), value === null ? null : bytes(value))).toEqual(expected)
  })
})

describe("configurations", () => {
  const replayed = (...records: { key: Uint8Array; value: Uint8Array | null }[]) => {
    const replay = new ConfigReplay()
    for (const { key, value } of records) replay.replay(key, value)
    return Object.fromEntries(replay.connectors())
  }
  const raw = (key: string, value: string | null) => ({ key: bytes(key), value: value === null ? null : bytes(value) })

  it("are written as Kafka Connect writes them", () => {
    const { key, value } = connectorRecord("c", { a: "1" })
    expect([text(key), text(value)]).toEqual(["connector-c", '{"properties":{"a":"1"}}'])
    const target = targetRecord("c", "STOPPED")
    expect([text(target.key), text(target.value)]).toEqual([
      "target-state-c",
      '{"state":"PAUSED","state.v2":"STOPPED"}',
    ])
    expect(text(targetRecord("c", "STARTED").value)).toBe('{"state":"STARTED","state.v2":"STARTED"}')
  })

  it("are what the last records say", () => {
    expect(
      replayed(connectorRecord("c", { a: "1" }), targetRecord("c", "PAUSED"), connectorRecord("c", { a: "2" })),
    ).toEqual({
      c: { config: { a: "2" }, target: "PAUSED" },
    })
    expect(replayed(connectorRecord("c", { a: "1" }), connectorRecord("c", null))).toEqual({})
  })

  it("start when nothing says otherwise, also with an old worker's target", () => {
    expect(replayed(connectorRecord("c", {}))["c"]?.target).toBe("STARTED")
    expect(replayed(connectorRecord("c", {}), raw("target-state-c", '{"state":"PAUSED"}'))["c"]?.target).toBe("PAUSED")
  })

  it("leave the records of distributed workers alone", () => {
    const others = [
      raw("session-key", "{}"),
      raw("task-c-0", "{}"),
      raw("commit-c", '{"tasks":1}'),
      raw("connector-x", "junk"),
    ]
    expect(replayed(...others)).toEqual({})
  })
})
