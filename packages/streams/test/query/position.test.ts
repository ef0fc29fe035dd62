/**
 * Positions and bounds: Kafka Streams' rules (KIP-796).
 */
import { expect, test } from "vitest"
import { isUpTo, mergePositions, parsePosition, positionOf } from "../../src/query/position.ts"

test("a position is the last offset seen; nothing seen is no offset", () => {
  const inputs = [
    { topic: "a", partition: 0, next: 5 },
    { topic: "a", partition: 1, next: 0 },
    { topic: "b", partition: 0, next: 1 },
  ]
  expect(positionOf(inputs)).toEqual({ a: { 0: 4 }, b: { 0: 0 } })
})

test.each([
  ["no bound", { a: { 0: 4 } }, {}, 0, true],
  ["the bound itself", { a: { 0: 4 } }, { a: { 0: 4 } }, 0, true],
  ["below it", { a: { 0: 4 } }, { a: { 0: 5 } }, 0, false],
  ["another partition's bound", { a: { 0: 4 } }, { a: { 1: 9 } }, 0, true],
  ["a topic never seen", { a: { 0: 4 } }, { b: { 0: 0 } }, 0, false],
  ["one of two topics below", { a: { 0: 4 }, b: { 0: 1 } }, { a: { 0: 4 }, b: { 0: 2 } }, 0, false],
  ["all partitions in one: one below", { a: { 0: 4, 1: 1 } }, { a: { 0: 4, 1: 2 } }, undefined, false],
  ["all partitions in one: none below", { a: { 0: 4, 1: 2 } }, { a: { 0: 4, 1: 2 } }, undefined, true],
])("bounds: %s", (_, position, bound, partition, expected) => {
  expect(isUpTo(position as never, bound as never, partition)).toBe(expected)
})

test("merged positions are the furthest of both", () => {
  expect(mergePositions({ a: { 0: 4, 1: 1 } }, { a: { 0: 2, 2: 7 }, b: { 0: 0 } })).toEqual({
    a: { 0: 4, 1: 1, 2: 7 },
    b: { 0: 0 },
  })
})

test.each(["5", "[]", '{"a":5}', '{"a":{"0":-1}}', '{"a":{"0":"x"}}', "{"])("%s is no position", (text) => {
  expect(() => parsePosition(text)).toThrow(/is no position/)
})
