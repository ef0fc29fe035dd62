import { BufferPool, IDLE_BYTES_MAX, POISON } from "@millrace/host"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const KIB = 1024

describe("a pool of buffers", () => {
  test("gives memory that came back to the next who takes as much, with a buffer of just the bytes that were asked for", () => {
    const pool = new BufferPool()
    const first = pool.take(70_000)
    expect(first).toHaveLength(70_000)
    pool.giveBack(first)
    expect(pool.idleBytes).toBe(128 * KIB)
    const second = pool.take(100_000)
    expect(second).toHaveLength(100_000)
    expect(second.buffer).toBe(first.buffer)
    expect(pool.idleBytes).toBe(0)
    expect(pool.take(100_000).buffer).not.toBe(first.buffer)
  })

  test("takes nothing back twice, also when another has the memory by then", () => {
    const pool = new BufferPool()
    const first = pool.take(10 * KIB)
    pool.giveBack(first)
    const second = pool.take(10 * KIB)
    expect(second.buffer).toBe(first.buffer)
    pool.giveBack(first)
    expect(pool.idleBytes).toBe(0)
    expect(pool.take(10 * KIB).buffer).not.toBe(second.buffer)
  })

  test("takes back nothing but what it gave: no view of it, and no other memory", () => {
    const pool = new BufferPool({ poisons: true })
    const buffer = pool.take(10 * KIB).fill(1)
    const other = Buffer.alloc(16 * KIB)
    for (const foreign of [buffer.subarray(), other, new BufferPool().take(10 * KIB)]) pool.giveBack(foreign)
    expect(pool.idleBytes).toBe(0)
    expect(buffer.every((byte) => byte === 1)).toBe(true)
    expect(other.every((byte) => byte === 0)).toBe(true)
  })

  test("keeps no more than its bound, and nothing that is very large", () => {
    const bounded = new BufferPool({ idleBytesMax: 100 * KIB })
    for (const buffer of Array.from({ length: 9 }, () => bounded.take(16 * KIB))) bounded.giveBack(buffer)
    expect(bounded.idleBytes).toBe(96 * KIB)
    const pool = new BufferPool()
    pool.giveBack(pool.take(4 * 1024 * KIB + 1))
    expect(pool.idleBytes).toBe(0)
    for (const buffer of Array.from({ length: 5 }, () => pool.take(4 * 1024 * KIB))) pool.giveBack(buffer)
    expect(pool.idleBytes).toBe(IDLE_BYTES_MAX)
  })

  test("gives nobody more than twice what was asked for, and keeps nothing that is small", () => {
    const pool = new BufferPool()
    for (const bytes of [1, 70, 8 * KIB - 1, 8 * KIB, 16 * KIB + 1, 100_000])
      expect(pool.take(bytes).buffer.byteLength).toBeLessThanOrEqual(2 * bytes)
    pool.giveBack(pool.take(70))
    expect(pool.idleBytes).toBe(0)
  })

  test("lets memory go of the size that was asked for least lately, when there is no room for another", () => {
    const pool = new BufferPool({ idleBytesMax: 128 * KIB })
    const taken = (count: number, bytes: number) => Array.from({ length: count }, () => pool.take(bytes))
    for (const buffer of [...taken(4, 16 * KIB), ...taken(2, 32 * KIB)]) pool.giveBack(buffer)
    pool.giveBack(pool.take(16 * KIB))
    const large = pool.take(64 * KIB)
    pool.giveBack(large)
    expect(pool.idleBytes).toBe(128 * KIB)
    expect(pool.take(64 * KIB).buffer).toBe(large.buffer)
    // The small ones are all there, and none of the middle.
    taken(4, 16 * KIB)
    expect(pool.idleBytes).toBe(0)
  })

  test("has room for the size that is asked for now, though it was full of others", () => {
    const pool = new BufferPool()
    const small = Array.from({ length: IDLE_BYTES_MAX / (16 * KIB) }, () => pool.take(16 * KIB))
    for (const buffer of small) pool.giveBack(buffer)
    const large = pool.take(1024 * KIB)
    pool.giveBack(large)
    expect(pool.idleBytes).toBe(IDLE_BYTES_MAX)
    expect(pool.take(1024 * KIB).buffer).toBe(large.buffer)
  })

  test("poisons all memory that comes back, what was not asked for of it too, and what is not kept", () => {
    const pool = new BufferPool({ poisons: true })
    for (const bytes of [10, 10 * KIB, 5 * 1024 * KIB]) {
      const buffer = pool.take(bytes)
      const view = new Uint8Array(buffer.buffer)
      pool.giveBack(buffer)
      expect(view.every((byte) => byte === POISON)).toBe(true)
    }
  })

  test("never lets two have the same memory, whatever they take and give back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200_000), fc.nat(20)), { maxLength: 60 }), (steps) => {
        const pool = new BufferPool({ idleBytesMax: 500_000, poisons: true })
        const all: Buffer[] = []
        const held = new Map<Buffer, number>()
        for (const [index, [bytes, which]] of steps.entries()) {
          const old = all[which]
          if (old !== undefined && index % 2 === 1) {
            held.delete(old)
            pool.giveBack(old)
          } else {
            const buffer = pool.take(bytes).fill(index)
            all.push(buffer)
            held.set(buffer, index)
          }
          expect(pool.idleBytes).toBeLessThanOrEqual(500_000)
        }
        for (const [buffer, byte] of held) expect(buffer.every((one) => one === byte)).toBe(true)
        expect(new Set([...held.keys()].map(({ buffer }) => buffer)).size).toBe(held.size)
      }),
    )
  })
})
