import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { batches, RecordBatchView } from "../../src/record/batch.ts"
import { RecordBatchBuilder, recordBytesMax } from "../../src/record/builder.ts"
import { COMPRESSIONS } from "../../src/record/compression.ts"
import { int64At, putInt64 } from "../../src/record/integers.ts"
import { RecordReader } from "../../src/record/record.ts"
import { putVarint, putVarlong, sizeOfVarint, sizeOfVarlong, VarintCursor } from "../../src/record/varint.ts"

const bytes = fc.uint8Array({ maxLength: 200 })
const maybe = fc.option(bytes, { nil: null })
const record = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.integer({ min: 0, max: 100 })),
  key: maybe,
  value: fc.oneof(
    maybe,
    fc.integer({ min: 0, max: 100_000 }).map((length) => new Uint8Array(length).fill(7)),
  ),
  headers: fc.array(fc.record({ key: fc.string({ unit: "binary", maxLength: 20 }), value: maybe }), { maxLength: 3 }),
})
const plain = (part: Uint8Array | null) => (part === null ? null : Buffer.from(part).toString("latin1"))

describe("record batches", () => {
  it.each(COMPRESSIONS)("give back what was put in, %s", (compression) => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat(), (records, baseOffset) => {
        const builder = new RecordBatchBuilder({ compression, baseOffset, initialBytes: 64 })
        for (const { timestamp, key, value, headers } of records) {
          const before = builder.sizeInBytes
          const after = builder.append(timestamp, key, value, headers)
          expect(after - before).toBeLessThanOrEqual(recordBytesMax(key, value, headers))
        }
        const built = builder.build()
        const view = new RecordBatchView(built)
        expect(view.isValidCrc()).toBe(true)
        expect(view.sizeInBytes).toBe(built.length)
        expect(view.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)))
        const reader = new RecordReader(view)
        for (const [index, expected] of records.entries()) {
          expect(reader.next()).toBe(true)
          expect(reader.offset).toBe(baseOffset + index)
          expect(reader.timestamp).toBe(expected.timestamp)
          expect(plain(reader.key())).toBe(plain(expected.key))
          expect(plain(reader.value())).toBe(plain(expected.value))
          expect(reader.headers().map(({ key, value }) => [key, plain(value)])).toEqual(
            expected.headers.map(({ key, value }) => [key.toWellFormed(), plain(value)]),
          )
        }
        expect(reader.next()).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  it("never read as something else, whatever byte changes", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (records, where, mask) => {
          const builder = new RecordBatchBuilder()
          for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers)
          const built = builder.build()
          const at = 17 + (where % (built.length - 17))
          built[at]! ^= mask
          expect(new RecordBatchView(built).isValidCrc()).toBe(false)
        },
      ),
    )
  })

  it("survive arbitrary bytes: an error or a clean end, never a hang or a foreign exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 61, maxLength: 400 }), fc.nat({ max: 400 }), (noise, length) => {
        noise[16] = 2
        noise.set([0, 0, length >> 8, length & 255], 8)
        try {
          for (const view of batches(noise)) {
            const reader = new RecordReader(view)
            while (reader.next()) reader.headers()
          }
        } catch (error) {
          expect((error as Error).name).toMatch(/^(CorruptRecordError|DecompressedTooLargeError)$/)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe("integers", () => {
  const safe = fc.maxSafeInteger()
  it("int64", () => {
    fc.assert(
      fc.property(safe, (value) => {
        const target = new Uint8Array(8)
        putInt64(target, 0, value)
        expect(Buffer.from(target).readBigInt64BE()).toBe(BigInt(value))
        expect(int64At(target, 0)).toBe(value)
      }),
    )
  })
  it("varint and varlong", () => {
    fc.assert(
      fc.property(fc.integer(), safe, (small, large) => {
        const target = new Uint8Array(16)
        expect(putVarint(target, 0, small)).toBe(sizeOfVarint(small))
        expect(new VarintCursor(target).int32()).toBe(small)
        expect(putVarlong(target, 0, large)).toBe(sizeOfVarlong(large))
        expect(new VarintCursor(target).int64()).toBe(large)
        let zigzag = BigInt.asUintN(64, (BigInt(large) << 1n) ^ (BigInt(large) >> 63n))
        const oracle: number[] = []
        for (; zigzag > 127n; zigzag >>= 7n) oracle.push(Number(zigzag & 127n) | 128)
        oracle.push(Number(zigzag))
        expect([...target.subarray(0, oracle.length)]).toEqual(oracle)
      }),
      {
        examples: [
          [0, 2 ** 53 - 1],
          [-(2 ** 31), -(2 ** 53 - 1)],
        ],
      },
    )
  })
})
