import { expect, test } from "vitest"
import { murmur2, partitionForKey } from "../../src/producer/murmur2.ts"

// Values that every Kafka client agrees on.
test.each([
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
])("murmur2 of %s", (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

test("a partition is never negative", () => {
  expect(partitionForKey(Buffer.from("foobar"), 7)).toBe((-790332482 & 0x7fffffff) % 7)
})
