/** Every message in every version: what is written is read again, and the compiled codec agrees with the interpreter. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Reader } from "../../src/bytes/reader.ts"
import { Writer } from "../../src/bytes/writer.ts"
import { decode, encode } from "../../src/schema/codec.ts"
import { compile } from "../../src/schema/compile.ts"
import { interpretDecode, interpretEncode } from "../../src/schema/interpret.ts"
import { planOf } from "../../src/schema/plan.ts"
import { allMessages, allVersions, completeValue } from "../arbitrary.ts"

const RUNS = 6

describe("the message table", () => {
  it("names each message once", () => {
    expect(new Set(allMessages.map((message) => message.name)).size).toBe(allMessages.length)
  })

  it("compiles nothing before the first use", () => {
    const untouched = allMessages.filter((message) => message.codecs.length === 0)
    expect(untouched).toHaveLength(allMessages.length)
  })

  it.each(allVersions)("%s v%i", (_name, version, message) => {
    const plan = planOf(message, version)
    const compiled = compile(plan)
    fc.assert(
      fc.property(completeValue(message, version), (value) => {
        const bytes = encode(message, version, value)
        expect(decode(message, version, bytes)).toEqual(value)

        const writer = new Writer()
        interpretEncode(plan, writer, value)
        expect(bytes).toEqual(writer.take())

        const slow = new Reader(bytes)
        const fast = new Reader(bytes)
        expect(interpretDecode(plan, slow)).toEqual(compiled.decode(fast))
        expect([slow.remaining, fast.remaining]).toEqual([0, 0])
      }),
      { numRuns: RUNS },
    )
  })
})
