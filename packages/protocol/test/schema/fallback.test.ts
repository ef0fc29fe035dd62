/** Where code may not be evaluated (a strict content security policy), the interpreter does all the work. */
import { afterEach, describe, expect, it, vi } from "vitest"
import { decode, encode } from "../../src/schema/codec.ts"
import { int32, string, structs } from "../../src/schema/field.ts"
import { message } from "../../src/schema/message.ts"

const fields = { name: string("0+"), parts: structs("1+", { id: int32("0+") }) }
const value = { name: "n", parts: [{ id: 1 }, { id: 2 }] }

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("without code evaluation", () => {
  it("messages are encoded and decoded all the same", () => {
    const expected = encode(message("Compiled", "0-1", "1+", fields), 1, value)
    const evaluate = vi.fn(function refuse() {
      throw new EvalError("Code generation from strings disallowed for this context")
    })
    vi.stubGlobal("Function", evaluate)
    const interpreted = message("Interpreted", "0-1", "1+", fields)
    expect(encode(interpreted, 1, value)).toEqual(expected)
    expect(decode(interpreted, 1, expected)).toEqual(value)
    expect(() => decode(interpreted, 1, expected.subarray(0, 5))).toThrow("Interpreted v1, field parts")
    expect(evaluate).toHaveBeenCalledTimes(1)
  })
})
