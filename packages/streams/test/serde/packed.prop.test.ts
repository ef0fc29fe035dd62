/**
 * Values come back from the default codec as plain MessagePack would give them back, in this process and in another.
 */
import fc from "fast-check"
import { Packr } from "msgpackr"
import { expect, test, vi } from "vitest"
import { packed } from "../../src/serde/packed.ts"

const plain = new Packr({ useRecords: true, moreTypes: true, copyBuffers: true })

const values = fc.anything({
  withMap: true,
  withSet: true,
  withDate: true,
  withTypedArray: false,
  maxDepth: 4,
  key: fc.oneof(fc.constantFrom("id", "name", "price", "10", "2", "ü\0"), fc.string({ maxLength: 5 })),
})

/** What another process has loaded: it has met no shape yet. */
async function elsewhere(): Promise<typeof packed> {
  vi.resetModules()
  return (await import("../../src/serde/packed.ts")).packed
}

test("any value comes back, also where its shape was never met", async () => {
  const other = await elsewhere()
  fc.assert(
    fc.property(values, (value) => {
      const expected = plain.unpack(plain.pack(value))
      const bytes = packed.encode(value)
      expect(packed.decode(bytes)).toEqual(expected)
      expect(other.decode(Buffer.from(bytes))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test("objects with one shape, in turn with others and inside others", async () => {
  const other = await elsewhere()
  const rows = [
    { id: 1, name: "a", tags: [{ id: 2, name: "b" }], at: new Date(5) },
    { id: 2, name: undefined, tags: [], at: Number.NaN },
    { name: "b", id: 1 },
    { id: 3, name: { id: 4, name: "c" } },
    [
      { id: 5, name: "d" },
      { name: "e", id: 6 },
      { id: 7, name: "f", more: [{ id: 8, name: "g" }] },
      null,
      { id: 9, name: "h" },
    ],
    [{ id: 1, name: "a", tags: [], at: 1 }],
    { id: 1, name: "a", tags: new Map([[{ id: 1 }, new Set(["x"])]]), at: null },
  ]
  for (let round = 0; round < 3; round++) {
    for (const row of rows) {
      expect(packed.decode(packed.encode(row))).toEqual(row)
      expect(other.decode(packed.encode(row))).toEqual(row)
    }
  }
})

test("objects whose names are data have more shapes than are kept", async () => {
  const other = await elsewhere()
  for (let n = 0; n < 2_000; n++) {
    const value = { [`id-${n}`]: n, total: n }
    const bytes = packed.encode(value)
    expect(packed.decode(bytes)).toEqual(value)
    expect(other.decode(bytes)).toEqual(value)
  }
  const wide = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`member ${n}`, n]))
  expect(packed.decode(packed.encode(wide))).toEqual(wide)
})

test("an instance of a class comes back as a plain object", () => {
  class Order {
    readonly id = 1
  }
  const back = packed.decode(packed.encode(new Order()))
  expect([back, Object.getPrototypeOf(back)]).toEqual([{ id: 1 }, Object.prototype])
})
