import { BufferLoan, BufferPool } from "@millrace/host"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const KIB = 1024

/** What a loan holds, found by giving it back to a pool that keeps all. */
function heldBy(loan: BufferLoan, pool: BufferPool): number {
  const idle = pool.idleBytes
  loan.giveBack()
  return pool.idleBytes - idle
}

describe("a loan of buffers", () => {
  test("gives back all that was taken for it, once", () => {
    const pool = new BufferPool()
    const loan = new BufferLoan(pool)
    loan.keep(loan.take(20 * KIB))
    for (const bytes of [20 * KIB, 1]) loan.take(bytes)
    loan.giveBack()
    expect(pool.idleBytes).toBe(80 * KIB)
    const next = pool.take(16 * KIB)
    loan.giveBack()
    expect(pool.take(16 * KIB).buffer).not.toBe(next.buffer)
  })

  test("keeps where it is what fills half of its memory, and moves less", () => {
    const pool = new BufferPool()
    const loan = new BufferLoan(pool)
    const half = loan.take(64 * KIB).subarray(0, 32 * KIB)
    expect(loan.keep(half)).toBe(half)
    const less = loan
      .take(64 * KIB)
      .fill(7)
      .subarray(0, 32 * KIB - 1)
    const moved = loan.keep(less)
    expect(moved.buffer).not.toBe(less.buffer)
    expect(moved).toHaveLength(32 * KIB - 1)
    expect(moved.every((byte) => byte === 7)).toBe(true)
    expect(pool.idleBytes).toBe(64 * KIB)
  })

  test("gives back at once what nothing is kept of, and lets others be who are not its own", () => {
    const pool = new BufferPool({ poisons: true })
    const loan = new BufferLoan(pool)
    const foreign = Buffer.alloc(10, 1)
    for (const kept of [foreign, foreign.subarray(0, 0)]) {
      loan.take(40 * KIB)
      expect(loan.keep(kept)).toBe(kept)
    }
    expect(loan.keep(loan.take(10).subarray(0, 0))).toHaveLength(0)
    expect(foreign).toEqual(Buffer.alloc(10, 1))
    expect(heldBy(loan, pool)).toBe(0)
  })

  test("holds little more than the bytes of many small pieces", () => {
    const pool = new BufferPool({ idleBytesMax: Infinity })
    const loan = new BufferLoan(pool)
    for (let piece = 0; piece < 5_000; piece++) loan.keep(loan.take(100))
    expect(heldBy(loan, pool)).toBeLessThanOrEqual(500_000 + 2 * 16 * KIB)
  })

  test("holds no more than twice the bytes that were kept and a slab, and changes none of them", () => {
    const read = fc.record({
      asked: fc.array(fc.oneof(fc.nat(200), fc.nat(100_000)), { minLength: 1, maxLength: 3 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(read, { maxLength: 20 }), (reads) => {
        const pool = new BufferPool({ idleBytesMax: Infinity, poisons: true })
        const loan = new BufferLoan(pool)
        const kept = reads.map(({ asked, share }, index) => {
          const buffer = asked.map((bytes) => loan.take(bytes).fill(index)).at(-1)!
          return loan.keep(buffer.subarray(buffer.length - Math.floor(buffer.length * share)))
        })
        for (const [index, bytes] of kept.entries()) expect(bytes.every((byte) => byte === index)).toBe(true)
        const keptBytes = kept.reduce((sum, { length }) => sum + length, 0)
        expect(heldBy(loan, pool)).toBeLessThanOrEqual(2 * keptBytes + 16 * KIB)
      }),
    )
  })
})
