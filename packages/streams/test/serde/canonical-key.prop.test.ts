import fc from "fast-check"
import { expect, test } from "vitest"
import { canonicalKey, type CanonicalKey } from "../../src/serde/canonical-key.ts"

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.string({ unit: fc.constantFrom("a", "b", "\0", "\u{1f600}"), maxLength: 4 }),
  fc.uint8Array({ maxLength: 4, max: 2 }),
)
const key: fc.Arbitrary<CanonicalKey> = fc.letrec<{ key: CanonicalKey }>((tie) => ({
  key: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, fc.array(tie("key"), { maxLength: 3 })),
})).key

const KINDS = ["null", "false", "true", "number", "string", "bytes", "tuple"]

function kindOf(value: CanonicalKey): number {
  if (value === null) return 0
  if (typeof value === "boolean") return value ? 2 : 1
  if (typeof value === "object") return KINDS.indexOf(value instanceof Uint8Array ? "bytes" : "tuple")
  return KINDS.indexOf(typeof value)
}

/** The order the codec promises, written another way. */
function compare(left: CanonicalKey, right: CanonicalKey): number {
  const kinds = kindOf(left) - kindOf(right)
  if (kinds !== 0) return kinds
  // Not by a difference: that of two infinities is no number.
  if (typeof left === "number") return left === right ? 0 : left < (right as number) ? -1 : 1
  if (typeof left === "string") return Buffer.compare(Buffer.from(left), Buffer.from(right as string))
  if (left instanceof Uint8Array) return Buffer.compare(left, right as Uint8Array)
  if (!Array.isArray(left)) return 0
  const other = right as CanonicalKey[]
  for (let index = 0; index < Math.min(left.length, other.length); index++) {
    const element = compare(left[index]!, other[index]!)
    if (element !== 0) return element
  }
  return left.length - other.length
}

test("what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(key, (value) => {
      const decoded = canonicalKey.decode(canonicalKey.encode(value)) as CanonicalKey
      expect(compare(decoded, value)).toBe(0)
    }),
    { examples: [[Infinity], [[-Infinity]], [-0]] },
  )
})

test("bytes compare as the keys do, and equal keys are equal bytes", () => {
  fc.assert(
    fc.property(key, key, (left, right) => {
      const order = Math.sign(Buffer.compare(canonicalKey.encode(left), canonicalKey.encode(right)))
      const expected = Math.sign(compare(left, right))
      expect(order).toBe(expected)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ["an object", { a: 1 }],
  ["undefined", undefined],
  ["half a surrogate pair", "\ud800"],
  ["a bigint", 1n],
])("refuses %s", (_, value) => {
  expect(() => canonicalKey.encode(value as any)).toThrow(/key/)
})
