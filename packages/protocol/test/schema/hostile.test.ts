/** Bytes from a hostile peer: damaged, cut off or random, they raise ProtocolError and nothing else, at bounded cost. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ProtocolError } from "../../src/bytes/fault.ts"
import { ARRAY_ELEMENTS_MAX } from "../../src/bytes/reader.ts"
import { apis } from "../../src/messages/index.ts"
import { Metadata } from "../../src/messages/metadata.ts"
import { OffsetFetch } from "../../src/messages/offset-fetch.ts"
import { decode, encode } from "../../src/schema/codec.ts"
import { int16, int8s } from "../../src/schema/field.ts"
import { type Message, message } from "../../src/schema/message.ts"
import { allVersions, completeValue } from "../arbitrary.ts"

const requests = [...apis.values()].map((api) => api.request)
const anyVersion = fc.constantFrom(...allVersions.filter(([, , message]) => requests.includes(message)))

function decodeOrRefuse(message: (typeof requests)[number], version: number, bytes: Uint8Array): void {
  try {
    decode(message, version, bytes)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    expect(error.messageName).toBe(message.name)
    expect(error.version).toBe(version)
    expect(error.offset).toBeGreaterThanOrEqual(0)
    expect(error.offset).toBeLessThanOrEqual(bytes.length)
  }
}

describe("hostile bytes", () => {
  it("random bytes raise ProtocolError or decode", () => {
    fc.assert(
      fc.property(anyVersion, fc.uint8Array({ maxLength: 200 }), ([, version, message], bytes) =>
        decodeOrRefuse(message, version, bytes),
      ),
      { numRuns: 2000 },
    )
  })

  it("a message cut off anywhere raises ProtocolError", () => {
    const cut = anyVersion.chain(([, version, message]) =>
      fc.record({
        version: fc.constant(version),
        message: fc.constant(message),
        value: completeValue(message, version),
        keep: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      }),
    )
    fc.assert(
      fc.property(cut, ({ version, message, value, keep }) => {
        const bytes = encode(message, version, value)
        if (bytes.length === 0) return
        const part = bytes.subarray(0, Math.floor(bytes.length * keep))
        expect(() => decode(message, version, part)).toThrow(ProtocolError)
      }),
      { numRuns: 500 },
    )
  })

  it("a flipped byte raises ProtocolError or decodes", () => {
    const flip = anyVersion.chain(([, version, message]) =>
      fc.record({
        version: fc.constant(version),
        message: fc.constant(message),
        value: completeValue(message, version),
        at: fc.nat(),
        by: fc.integer({ min: 1, max: 255 }),
      }),
    )
    fc.assert(
      fc.property(flip, ({ version, message, value, at, by }) => {
        const bytes = encode(message, version, value)
        if (bytes.length > 0) bytes[at % bytes.length]! ^= by
        decodeOrRefuse(message, version, bytes)
      }),
      { numRuns: 1000 },
    )
  })

  it.each<[string, Message, number, string, string]>([
    [
      "array",
      Metadata.request,
      1,
      "7fffffff",
      "MetadataRequest v1, field topics at byte 4: an array of 2147483647 elements",
    ],
    ["compact array", Metadata.request, 9, "ffffffff0f", "field topics at byte 5: an array of 4294967294 elements"],
    ["string", OffsetFetch.request, 1, "7fff", "field groupId at byte 2: needs 32767 bytes, 0 are left"],
    ["compact string", OffsetFetch.request, 6, "ffff7f", "field groupId at byte 3: a string of 2097150 bytes"],
    ["varint", Metadata.request, 9, "ffffffffff", "field topics at byte 0: a varint of more than 32 bits"],
    ["null", OffsetFetch.request, 1, "ffff", "field groupId at byte 2: null where a value is required"],
  ])("refuses a %s before it allocates for it", (_what, message, version, hex, reason) => {
    expect(() => decode(message, version, Buffer.from(hex, "hex"))).toThrow(reason)
  })

  it("refuses more array elements than a message may have, however cheap they are", () => {
    const body = Buffer.alloc(2 + 4 + ARRAY_ELEMENTS_MAX + 1, 1)
    body.writeInt32BE(ARRAY_ELEMENTS_MAX + 1, 2)
    const flags = message("Flags", "0", "none", { id: int16("0+"), flags: int8s("0+") })
    expect(() => decode(flags, 0, body)).toThrow("Flags v0, field flags at byte 6: more than 5000000 array elements")
  })
})
