import { describe, expect, it } from "vitest"
import { addSequence, batches, RecordBatchView } from "../../src/record/batch.ts"
import { RecordBatchBuilder } from "../../src/record/builder.ts"
import { COMPRESSIONS, decompress } from "../../src/record/compression.ts"
import { controlTypeOf, endTxnMarkerBatch, endTxnMarkerOf } from "../../src/record/control.ts"
import { CorruptRecordError, DecompressedTooLargeError } from "../../src/record/corrupt.ts"
import { crc32c } from "../../src/record/crc32c.ts"
import { RecordReader } from "../../src/record/record.ts"
import { GOLDEN, GOLDEN_RECORDS } from "./golden.ts"

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, "hex")
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())

function recordsOf(view: RecordBatchView) {
  const records = []
  const reader = new RecordReader(view)
  while (reader.next()) {
    records.push({
      timestamp: reader.timestamp,
      key: text(reader.key()),
      value: text(reader.value()),
      headers: reader.headers().map(({ key, value }) => ({ key, value: text(value) })),
    })
  }
  return records
}

describe("batches made by the Java client", () => {
  it.each(COMPRESSIONS)("reads %s", (codec) => {
    const view = new RecordBatchView(bytesOf(GOLDEN[codec]))
    expect(view.isValidCrc()).toBe(true)
    expect(view).toMatchObject({
      baseOffset: 100,
      lastOffset: 102,
      nextOffset: 103,
      partitionLeaderEpoch: 3,
      magic: 2,
      compression: codec,
      isTransactional: true,
      isControl: false,
      timestampType: "CreateTime",
      deleteHorizon: undefined,
      baseTimestamp: 1000,
      maxTimestamp: 5_000_001_000,
      producerId: 4_000_000_000_123,
      producerEpoch: 7,
      baseSequence: 2_147_483_646,
      lastSequence: 0,
      recordCount: 3,
      sizeInBytes: GOLDEN[codec].length / 2,
    })
    expect(recordsOf(view)).toEqual(GOLDEN_RECORDS)
  })

  it("builds the same bytes", () => {
    const builder = new RecordBatchBuilder({
      baseOffset: 100,
      partitionLeaderEpoch: 3,
      producerId: 4_000_000_000_123,
      producerEpoch: 7,
      baseSequence: 2_147_483_646,
      transactional: true,
    })
    for (const { timestamp, key, value, headers } of GOLDEN_RECORDS) {
      const bytes = (part: string | null) => (part === null ? null : Buffer.from(part))
      builder.append(timestamp, bytes(key), bytes(value), headers)
    }
    expect(Buffer.from(builder.build()).toString("hex")).toBe(GOLDEN.none)
  })

  it("gives every record the append time", () => {
    const view = new RecordBatchView(bytesOf(GOLDEN.logAppend))
    expect(view.timestampType).toBe("LogAppendTime")
    expect(recordsOf(view).map(({ timestamp }) => timestamp)).toEqual([
      view.maxTimestamp,
      view.maxTimestamp,
      view.maxTimestamp,
    ])
  })

  it.each([
    ["commit", true, 55, 1234],
    ["abort", false, 56, 1235],
  ] as const)("reads and builds a %s marker", (name, committed, baseOffset, timestamp) => {
    const view = new RecordBatchView(bytesOf(GOLDEN[name]))
    expect(endTxnMarkerOf(view)).toEqual({ committed, coordinatorEpoch: 12 })
    const built = endTxnMarkerBatch({
      committed,
      coordinatorEpoch: 12,
      producerId: 77,
      producerEpoch: 3,
      timestamp,
      baseOffset,
      partitionLeaderEpoch: 9,
    })
    expect(Buffer.from(built).toString("hex")).toBe(GOLDEN[name])
  })
})

describe("bytes that are not a batch", () => {
  it("notices every flipped byte behind the leader epoch", () => {
    for (const codec of COMPRESSIONS) {
      const bytes = bytesOf(GOLDEN[codec])
      for (let at = 17; at < bytes.length; at++) {
        bytes[at]! ^= 0x10
        expect(new RecordBatchView(bytes).isValidCrc(), `${codec} byte ${at}`).toBe(false)
        bytes[at]! ^= 0x10
      }
    }
  })

  it("ends before an incomplete batch", () => {
    const whole = bytesOf(GOLDEN.none)
    const two = Buffer.concat([whole, whole])
    expect([...batches(two)].map(({ offset }) => offset)).toEqual([0, whole.length])
    for (const cut of [1, 12, 17, 61, whole.length - 1]) {
      expect([...batches(two.subarray(0, whole.length + cut))]).toHaveLength(1)
    }
  })

  it.each([
    ["a negative length", 8, 0xff, /claims a size/],
    ["an old format", 16, 0x01, /format 1/],
  ])("refuses %s", (_, at, value, message) => {
    const bytes = bytesOf(GOLDEN.none)
    bytes[at] = value
    expect(() => [...batches(bytes)]).toThrow(message)
  })

  it("refuses a record count that does not fit the bytes", () => {
    const bytes = bytesOf(GOLDEN.none)
    bytes[60] = 2
    const reader = new RecordReader(new RecordBatchView(bytes))
    expect(() => {
      while (reader.next());
    }).toThrow(/follow the last record/)
    bytes[57] = 0x7f
    expect(() => new RecordReader(new RecordBatchView(bytes))).toThrow(CorruptRecordError)
  })

  it("refuses a control key that is too short", () => {
    expect(() => controlTypeOf(Uint8Array.of(0, 0, 0))).toThrow(CorruptRecordError)
  })
})

describe("decompression", () => {
  it.each(COMPRESSIONS.slice(1))("stops a %s bomb at the limit", (codec) => {
    const builder = new RecordBatchBuilder({ compression: codec })
    builder.append(0, null, new Uint8Array(3_000_000))
    const view = new RecordBatchView(builder.build())
    const limit = 1_000_000
    expect(() => new RecordReader(view, { decompressedBytesMax: limit })).toThrow(DecompressedTooLargeError)
    const exact = decompress(codec, view.recordBytes).length
    expect(decompress(codec, view.recordBytes, exact).length).toBe(exact)
    expect(() => decompress(codec, view.recordBytes, exact - 1)).toThrow(DecompressedTooLargeError)
  })

  it.each(COMPRESSIONS.slice(1))("refuses %s bytes that are cut or scrambled", (codec) => {
    const bytes = new RecordBatchView(bytesOf(GOLDEN[codec])).recordBytes
    expect(() => decompress(codec, bytes.subarray(0, bytes.length - 5))).toThrow(CorruptRecordError)
    expect(() => decompress(codec, Buffer.from("no such thing here"))).toThrow(CorruptRecordError)
  })

  it("reads a raw snappy block, as librdkafka sends it", () => {
    const plain = Buffer.from("raw raw raw raw raw raw")
    const framed = new RecordBatchView(bytesOf(GOLDEN.snappy)).recordBytes
    const raw = framed.subarray(20)
    expect(decompress("snappy", raw)).toEqual(decompress("snappy", framed))
    expect(() => decompress("snappy", plain)).toThrow(CorruptRecordError)
  })
})

describe("small parts", () => {
  it.each([
    ["123456789", 0xe3069283],
    ["", 0],
  ])("crc32c of %j", (input, sum) => expect(crc32c(Buffer.from(input))).toBe(sum))

  it("wraps sequences to 0", () => {
    expect(addSequence(2_147_483_647, 1)).toBe(0)
    expect(addSequence(2_147_483_640, 10)).toBe(2)
  })
})
