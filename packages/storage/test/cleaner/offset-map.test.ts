import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { hashKey } from "../../src/cleaner/key-hash.ts"
import { OffsetMap, SLOT_BYTES } from "../../src/cleaner/offset-map.ts"

describe("the digest of a key", () => {
  const digest = (bytes: Uint8Array, start: number, length: number, seed = 1) => {
    const out = new Int32Array(4)
    hashKey(bytes, start, length, seed, out)
    return out.join(",")
  }

  test("depends on the key alone, not on where it lies", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 9 }), (key, before) => {
        const bytes = Buffer.concat([before, key, before])
        expect(digest(bytes, before.length, key.length)).toBe(digest(key, 0, key.length))
      }),
    )
  })

  test.each(Array.from({ length: 40 }, (_, length) => length))("uses every byte of a key of %i bytes", (length) => {
    const key = new Uint8Array(length)
    const seen = new Set([digest(key, 0, length)])
    for (let at = 0; at < length; at++) {
      const other = key.slice()
      other[at] = 1
      seen.add(digest(other, 0, length))
    }
    seen.add(digest(new Uint8Array(length + 1), 0, length + 1))
    seen.add(digest(key, 0, length, 0x5bd1e995))
    expect(seen.size).toBe(length + 3)
  })

  test("differs for two hundred thousand short keys in every one of its words", () => {
    const words = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()]
    const out = new Int32Array(4)
    const count = 200_000
    for (let index = 0; index < count; index++) {
      const key = Buffer.from(`user-${index}`)
      hashKey(key, 0, key.length, 99, out)
      for (const [word, seen] of words.entries()) seen.add(out[word]!)
    }
    // By chance some 5 of so many 32-bit words are there twice.
    for (const seen of words) expect(seen.size).toBeGreaterThan(count - 30)
  })
})

describe("the offset map", () => {
  test("holds the last offset of each key, as a Map does, while it grows", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 600 }), fc.nat()), { maxLength: 2_000 }), (entries) => {
        const map = new OffsetMap(2_000 * SLOT_BYTES, 0.9, 3)
        const model = new Map<string, number>()
        for (const [name, offset] of entries) {
          const key = Buffer.from(`key ${name}`)
          map.put(key, 0, key.length, offset)
          model.set(`key ${name}`, offset)
        }
        expect(map.size).toBe(model.size)
        for (let name = 0; name <= 600; name++) {
          const key = Buffer.from(`key ${name}`)
          expect(map.get(key, 0, key.length)).toBe(model.get(`key ${name}`) ?? -1)
        }
      }),
      { numRuns: 50 },
    )
  })

  test("is full at the load factor of its buffer, takes no more memory until then, and still takes what it must", () => {
    const bytes = 1000 * SLOT_BYTES
    const map = new OffsetMap(bytes, 0.9, 3)
    const put = (name: number) => map.put(Buffer.from(String(name).padStart(6)), 0, 6, name)
    let count = 0
    while (!map.isFull) put(count++)
    expect(count).toBe(900)
    expect(map.memoryBytes).toBeLessThanOrEqual(bytes)
    for (; count < 5000; count++) put(count)
    expect(map.size).toBe(5000)
    expect(map.get(Buffer.from("  4321"), 0, 6)).toBe(4321)
  })
})
