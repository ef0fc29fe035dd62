/** What an encoder takes and refuses, and what a decoder fills in. */
import { describe, expect, it } from "vitest"
import { INT64_MAX } from "../../src/bytes/int64.ts"
import { Reader } from "../../src/bytes/reader.ts"
import { ZERO_UUID } from "../../src/bytes/uuid.ts"
import { Writer } from "../../src/bytes/writer.ts"
import { Fetch } from "../../src/messages/fetch.ts"
import { JoinGroup } from "../../src/messages/join-group.ts"
import { Metadata } from "../../src/messages/metadata.ts"
import { decode, decodeFrom, encode, encodeInto } from "../../src/schema/codec.ts"
import { int16s, int32s, int64s, int8, int8s, string, structs } from "../../src/schema/field.ts"
import { message } from "../../src/schema/message.ts"
import { includes, versionRange } from "../../src/schema/version-range.ts"

const fetch = { maxWaitMs: 500, minBytes: 1, topics: [] }

describe("decoding", () => {
  it("fills fields that the version lacks with their defaults", () => {
    const value = decode(Fetch.request, 4, encode(Fetch.request, 4, fetch))
    expect(value).toMatchObject({
      clusterId: null,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      sessionEpoch: -1,
      forgottenTopicsData: [],
      rackId: "",
      ...fetch,
    })
  })

  it("hands out fresh defaults", () => {
    const bytes = encode(Fetch.request, 4, fetch)
    const first = decode(Fetch.request, 4, bytes)
    first.forgottenTopicsData.push({ topic: "t", topicId: ZERO_UUID, partitions: [] })
    first.replicaState.replicaId = 7
    const second = decode(Fetch.request, 4, bytes)
    expect(second.forgottenTopicsData).toEqual([])
    expect(second.replicaState.replicaId).toBe(-1)
  })

  it("yields the same fields in the same order in every version", () => {
    const names = (version: number) =>
      Object.keys(decode(Fetch.request, version, encode(Fetch.request, version, fetch)))
    for (let version = 5; version <= 18; version++) expect(names(version)).toEqual(names(4))
  })

  it("answers views of the received bytes", () => {
    const bytes = encode(Fetch.response, 12, {
      sessionId: 0,
      responses: [{ topic: "t", partitions: [partition(Buffer.from("records"))] }],
    })
    const records = decode(Fetch.response, 12, bytes).responses[0]!.partitions[0]!.records!
    expect(Buffer.from(records).toString()).toBe("records")
    expect(records.buffer).toBe(bytes.buffer)
  })

  it("skips tagged fields that it does not know, and reads on behind them", () => {
    const known = encode(Metadata.request, 9, { topics: [], allowAutoTopicCreation: true })
    const unknown = Buffer.concat([known.subarray(0, -1), Buffer.from([2, 5, 3, 1, 2, 3, 200, 1, 0])])
    const reader = new Reader(Buffer.concat([unknown, Buffer.from([42])]))
    expect(decodeFrom(Metadata.request, 9, reader)).toMatchObject({ topics: [] })
    expect(reader.remaining).toBe(1)
  })

  it("refuses a tagged field whose size is not the announced one", () => {
    const bytes = Buffer.from(encode(Fetch.request, 12, { ...fetch, clusterId: "abc" }))
    const at = bytes.lastIndexOf(Buffer.from([4, 97, 98, 99])) - 1
    expect(bytes[at]).toBe(4)
    bytes[at] = 5
    expect(() => decode(Fetch.request, 12, bytes)).toThrow("clusterId")
  })

  it("refuses an integer that a double cannot hold", () => {
    const bytes = Buffer.from(encode(Fetch.request, 18, withHighWatermark(1)))
    const at = bytes.indexOf(Buffer.from("0000000000000001", "hex"), -12)
    bytes.writeBigInt64BE(2n ** 53n + 1n, at)
    expect(() => decode(Fetch.request, 18, bytes)).toThrow(
      "field topics[0].partitions[0].highWatermark at byte " + at + ": a 64-bit integer beyond 2^53",
    )
  })

  it("keeps Long.MAX_VALUE, which stands for unknown", () => {
    const bytes = encode(Fetch.request, 18, withHighWatermark(5))
    expect(decode(Fetch.request, 18, bytes).topics[0]!.partitions[0]!.highWatermark).toBe(5)
    const absent = decode(Fetch.request, 18, encode(Fetch.request, 18, withHighWatermark(INT64_MAX)))
    expect(absent.topics[0]!.partitions[0]!.highWatermark).toBe(INT64_MAX)
  })
})

describe("encoding", () => {
  it.each<[string, number, Record<string, unknown>, string]>([
    ["a missing field", 4, { minBytes: 1, topics: [] }, "FetchRequest v4, field maxWaitMs: undefined is no int32"],
    ["a fraction", 4, { ...fetch, maxWaitMs: 0.5 }, "maxWaitMs: 0.5 is no int32"],
    ["an integer out of range", 4, { ...fetch, isolationLevel: 128 }, "isolationLevel: 128 is no int8"],
    ["NaN", 4, { ...fetch, maxWaitMs: Number.NaN }, "maxWaitMs: NaN is no int32"],
    ["a string for a number", 4, { ...fetch, maxWaitMs: "5" }, 'maxWaitMs: "5" is no int32'],
    ["no array", 4, { ...fetch, topics: {} }, "topics: not an array"],
    ["null where it is not allowed", 4, { ...fetch, topics: null }, "topics: not an array"],
    [
      "a bad element",
      4,
      { ...fetch, topics: [{ topic: "t", partitions: [5] }] },
      "topics[0].partitions[0]: not an object",
    ],
    ["a bad uuid", 13, { ...fetch, topics: [{ topicId: "x", partitions: [] }] }, 'topics[0].topicId: "x" is no uuid'],
    [
      "a value for a later version",
      4,
      { ...fetch, forgottenTopicsData: [{}] },
      "forgottenTopicsData: this version has no",
    ],
    ["a long string", 11, { ...fetch, rackId: "x".repeat(40000) }, "rackId: a string of 40000 bytes, at most 32767"],
    ["a version that is not valid", 3, fetch, "FetchRequest v3: no such version, valid are 4-18"],
  ])("refuses %s", (_what, version, value, reason) => {
    expect(() => encode(Fetch.request, version, value as never)).toThrow(reason)
  })

  it("drops a value that the version lacks when the field is ignorable", () => {
    const bytes = encode(Fetch.request, 10, { ...fetch, rackId: "r1" })
    expect(decode(Fetch.request, 10, bytes).rackId).toBe("")
  })

  it("leaves a tagged field with its default out", () => {
    const bare = encode(Fetch.request, 15, fetch)
    const stated = encode(Fetch.request, 15, { ...fetch, clusterId: null, replicaState: { replicaId: -1 } })
    expect(stated).toEqual(bare)
  })

  it.each([100, 127, 128, 200, 16383, 16384, 30000])("writes a tagged field of %i bytes", (size) => {
    const clusterId = "c".repeat(size)
    const bytes = encode(Fetch.request, 12, { ...fetch, clusterId })
    expect(decode(Fetch.request, 12, bytes).clusterId).toBe(clusterId)
  })

  it("goes on after a failure", () => {
    const join = { groupId: "g", sessionTimeoutMs: 1, memberId: "", protocolType: "consumer" }
    expect(() => encode(JoinGroup.request, 0, { ...join, protocols: [{ name: "a", metadata: 1 as never }] })).toThrow(
      "protocols[0].metadata: 1 is no Uint8Array",
    )
    const value = { ...join, protocols: [{ name: "a", metadata: Buffer.from([1]) }] }
    expect(decode(JoinGroup.request, 0, encode(JoinGroup.request, 0, value))).toMatchObject(value)
  })

  it("grows for large messages", () => {
    const big = message("Big", "0-1", "1+", { parts: structs("0+", { name: string("0+"), flag: int8("0+") }) })
    const parts = Array.from({ length: 50_000 }, (_, i) => ({ name: `part ${i} ä`, flag: i % 100 }))
    expect(decode(big, 0, encode(big, 0, { parts }))).toEqual({ parts })
    expect(decode(big, 1, encode(big, 1, { parts }))).toEqual({ parts })
  })

  it.each([
    ["int8", int8s("0+"), 1],
    ["int16", int16s("0+"), 2],
    ["int32", int32s("0+"), 4],
    ["int64", int64s("0+"), 8],
  ])("grows within a row of %s values", (_type, field, size) => {
    const row = message("Row", "0", "none", { values: field })
    for (let length = 4096 / size - 3; length < 4096 / size + 3; length++) {
      const values = Array.from({ length }, (_, i) => i % 100)
      // A writer of its own, still small, for each: the pooled one stays grown.
      const writer = new Writer()
      encodeInto(row, 0, { values }, writer)
      expect(decode(row, 0, writer.take())).toEqual({ values })
    }
  })
})

describe("version ranges", () => {
  it.each([
    ["3", 3, 3],
    ["3-7", 3, 7],
    ["3+", 3, 0x7fff],
  ])("%s", (text, min, max) => {
    expect(versionRange(text)).toEqual({ min, max })
    expect(includes(text, min)).toBe(true)
    expect(includes(text, min - 1)).toBe(false)
    expect(includes(text, max + 1)).toBe(false)
  })

  it("none contains nothing", () => expect(includes("none", 0)).toBe(false))
  it("refuses what is no range", () => expect(() => versionRange("3-")).toThrow('"3-" is no version range'))
})

function partition(records: Uint8Array) {
  return { partitionIndex: 0, errorCode: 0, highWatermark: 0, abortedTransactions: null, records }
}

function withHighWatermark(highWatermark: number) {
  const part = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1, highWatermark }
  return { ...fetch, topics: [{ topicId: ZERO_UUID, partitions: [part] }] }
}
