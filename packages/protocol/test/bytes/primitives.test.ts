import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { WireFault } from "../../src/bytes/fault.ts"
import { INT64_MAX, INT64_MIN, isInt64 } from "../../src/bytes/int64.ts"
import { Reader } from "../../src/bytes/reader.ts"
import { isUuid, readUuid, uuidFromBytes, writeUuid, ZERO_UUID } from "../../src/bytes/uuid.ts"
import { Writer } from "../../src/bytes/writer.ts"

function written(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  write(writer)
  return Buffer.from(writer.take())
}

describe("int64", () => {
  it("is the two's complement that Java writes", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const expected = Buffer.alloc(8)
        expected.writeBigInt64BE(BigInt(value))
        const bytes = written((writer) => writer.int64(value))
        expect(bytes.equals(expected)).toBe(true)
        expect(new Reader(bytes).int64()).toBe(value)
      }),
    )
  })

  it.each([
    [INT64_MAX, "7fffffffffffffff"],
    [INT64_MIN, "8000000000000000"],
    [-1, "ffffffffffffffff"],
    [Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
    [Number.MIN_SAFE_INTEGER, "ffe0000000000001"],
  ])("%d is %s", (value, hex) => {
    expect(written((writer) => writer.int64(value)).toString("hex")).toBe(hex)
    expect(new Reader(Buffer.from(hex, "hex")).int64()).toBe(value)
    expect(isInt64(value)).toBe(true)
  })

  it.each(["0020000000000000", "7ffffffffffffffe", "8000000000000001"])("refuses %s", (hex) => {
    expect(() => new Reader(Buffer.from(hex, "hex")).int64()).toThrow(WireFault)
  })

  it.each([0.5, Number.NaN, 2 ** 60, Number.POSITIVE_INFINITY])("refuses %d", (value) => {
    expect(() => new Writer().int64(value)).toThrow("is no safe 64-bit integer")
  })
})

describe("unsigned varints", () => {
  it("round trip", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
        expect(new Reader(written((writer) => writer.uvarint(value))).uvarint()).toBe(value)
      }),
    )
  })

  it.each([
    [0, "00"],
    [127, "7f"],
    [128, "8001"],
    [300, "ac02"],
    [0xffffffff, "ffffffff0f"],
  ])("%i is %s", (value, hex) => {
    expect(written((writer) => writer.uvarint(value)).toString("hex")).toBe(hex)
  })

  it.each(["80", "ffffffff1f", "808080808001"])("refuses %s", (hex) => {
    expect(() => new Reader(Buffer.from(hex, "hex")).uvarint()).toThrow(WireFault)
  })
})

describe("a writer that grows", () => {
  it.each<[string, (writer: Writer) => void]>([
    ["int8", (writer) => writer.int8(7)],
    ["int16", (writer) => writer.int16(7)],
    ["int32", (writer) => writer.int32(7)],
    ["int64", (writer) => writer.int64(7)],
    ["bool", (writer) => writer.bool(true)],
    ["float64", (writer) => writer.float64(1.5)],
    ["uuid", (writer) => writer.uuid("4vPqn5fBRMCVlmFzTmVB3g")],
    ["uvarint", (writer) => writer.uvarint(0xffffffff)],
    ["string", (writer) => writer.string("häßlich")],
    ["long string", (writer) => writer.string("x".repeat(1000))],
    ["compact string", (writer) => writer.compactString("x".repeat(1000))],
    ["bytes", (writer) => writer.compactBytesOf(Buffer.from("bytes"))],
  ])("writes each %s where it belongs", (_type, write) => {
    const one = written(write)
    const count = Math.ceil(20_000 / one.length)
    const many = written((writer) => {
      for (let i = 0; i < count; i++) write(writer)
    })
    expect(many.equals(Buffer.concat(Array.from({ length: count }, () => one)))).toBe(true)
  })

  it("moves a tagged field that turns out large", () => {
    const bytes = written((writer) => {
      writer.raw(new Uint8Array(4090))
      const start = writer.beginTag(3)
      writer.raw(new Uint8Array(200).fill(9))
      writer.endTag(start)
      writer.int8(5)
    })
    expect(
      bytes.subarray(4090).equals(Buffer.concat([Buffer.from([3, 200, 1]), Buffer.alloc(200, 9), Buffer.from([5])])),
    ).toBe(true)
  })
})

describe("strings", () => {
  it("are UTF-8, short or long, in both forms", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (value) => {
        const bytes = written((writer) => {
          writer.string(value)
          writer.compactString(value)
        })
        const utf8 = Buffer.from(value, "utf8")
        expect(bytes.readInt16BE(0)).toBe(utf8.length)
        expect(bytes.subarray(2, 2 + utf8.length).equals(utf8)).toBe(true)
        const reader = new Reader(bytes)
        expect([reader.string(), reader.compactString(), reader.remaining]).toEqual([value, value, 0])
      }),
    )
  })

  it("that are no UTF-8 are read only while they can be written again", () => {
    const read = (bytes: Buffer) => {
      const length = Buffer.alloc(2)
      length.writeInt16BE(bytes.length)
      return new Reader(Buffer.concat([length, bytes])).string()
    }
    const most = Math.floor(32767 / 3)
    const text = read(Buffer.alloc(most, 0xff))
    expect(text).toBe("\ufffd".repeat(most))
    expect(new Reader(written((writer) => writer.string(text))).string()).toBe(text)
    expect(() => read(Buffer.alloc(most + 1, 0xff))).toThrow("a string that is no UTF-8, of more than 32767 bytes")
    expect(read(Buffer.alloc(32767, "x"))).toHaveLength(32767)
  })
  it("longer than 32767 bytes are refused in both forms", () => {
    const long = "ä".repeat(20_000)
    expect(() => new Writer().string(long)).toThrow("a string of 40000 bytes, at most 32767")
    expect(() => new Writer().compactString(long)).toThrow("a string of 40000 bytes, at most 32767")
    expect(new Reader(written((writer) => writer.string("x".repeat(32767)))).string()).toHaveLength(32767)
  })
})

describe("uuids", () => {
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })

  it("are base64url of their bytes, and back", () => {
    fc.assert(
      fc.property(sixteen, (bytes) => {
        const text = readUuid(bytes, 0)
        expect(text).toBe(Buffer.from(bytes).toString("base64url"))
        const back = new Uint8Array(16)
        expect(writeUuid(text, back, 0)).toBe(true)
        expect(back).toEqual(bytes)
      }),
    )
  })

  it("made from random bytes are of version 4 and never begin with a dash", () => {
    fc.assert(
      fc.property(sixteen, (bytes) => {
        const text = uuidFromBytes(bytes)
        const raw = Buffer.from(text, "base64url")
        expect([raw[6]! >> 4, raw[8]! >> 6]).toEqual([4, 2])
        expect(text.startsWith("-")).toBe(false)
      }),
    )
    expect(uuidFromBytes(new Uint8Array(16).fill(0xfb)).startsWith("-")).toBe(false)
  })

  it.each([ZERO_UUID, "4vPqn5fBRMCVlmFzTmVB3g"])("%s is one", (text) => expect(isUuid(text)).toBe(true))
  it.each([
    "",
    "x",
    "4vPqn5fBRMCVlmFzTmVB3",
    "4vPqn5fBRMCVlmFzTmVB3h",
    "4vPqn5fBRMCVlmFzTm+B3g",
    "4vPqn5fBRMCVlmFzTmVBä3g",
  ])("%j is none", (text) => expect(isUuid(text)).toBe(false))
})
