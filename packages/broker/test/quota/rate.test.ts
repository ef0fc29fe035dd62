/** Rates and buckets of quotas, with the figures that Kafka's definitions give (KIP-13, KIP-599). */
import { expect, test } from "vitest"
import { Rate } from "../../src/quota/rate.ts"
import { TokenBucket } from "../../src/quota/token-bucket.ts"

const windows = { samples: 11, windowMs: 1_000 }

test("a first burst is spread over the ten windows before it", () => {
  const rate = new Rate(windows)
  rate.record(1_000, 5_000)
  expect(rate.perSecond(5_000)).toBe(100)
  expect(rate.perSecond(5_500)).toBeCloseTo(1_000 / 10.5)
})

test("what was recorded at a steady pace is that pace, and gone after all windows", () => {
  const rate = new Rate(windows)
  for (let second = 0; second < 30; second++) rate.record(500, second * 1_000)
  expect(rate.perSecond(30_000)).toBeCloseTo(500, -1)
  expect(rate.perSecond(39_999)).toBeGreaterThan(0)
  expect(rate.perSecond(40_000)).toBe(0)
})

test("above its bound it says how much longer the same would have to take", () => {
  const rate = new Rate(windows)
  rate.record(3_000, 0)
  expect(rate.msAbove(300, 0)).toBe(0)
  // 300 per second over 10 s; at 200 per second it takes 15 s.
  expect(rate.msAbove(200, 0)).toBe(5_000)
  // What is missing of ten windows is still taken for empty ones.
  expect(rate.msAbove(200, 5_000)).toBe(5_000)
  expect(rate.msAbove(200, 11_000)).toBe(0)
})

test("what is taken back never was", () => {
  const rate = new Rate(windows)
  rate.record(100, 0)
  rate.record(900, 0)
  rate.record(-900, 0)
  expect(rate.perSecond(0)).toBe(10)
})

test("a bucket is full at first, lets a lot of any size through while it holds something, and then fills at the rate", () => {
  const bucket = new TokenBucket(windows)
  expect(bucket.msBelowZero(5, 0)).toBe(0)
  bucket.spend(60, 5, 0)
  // 55 were in it.
  expect(bucket.msBelowZero(5, 0)).toBe(1_000)
  expect(bucket.msBelowZero(5, 600)).toBe(400)
  expect(bucket.msBelowZero(5, 1_000)).toBe(0)
  bucket.spend(10, 5, 1_000_000)
  bucket.spend(50, 5, 1_000_000)
  expect(bucket.msBelowZero(5, 1_000_000)).toBe(1_000)
})

test("a bucket whose rate becomes less holds no more than that rate fills", () => {
  const bucket = new TokenBucket(windows)
  bucket.spend(1, 100, 0)
  bucket.spend(20, 1, 0)
  expect(bucket.msBelowZero(1, 0)).toBe(9_000)
})
