/** Which partition of a task is next, and when there is none to choose yet (KIP-353, KIP-695). */
import { expect, test } from "vitest"
import { PartitionGroup } from "../../src/task/partition-group.ts"
import { type RecordCursor, RecordQueue } from "../../src/task/record-queue.ts"

function cursor(...timestamps: readonly number[]): RecordCursor {
  let at = -1
  return {
    next: () => ++at < timestamps.length,
    get offset() {
      return at
    },
    get timestamp() {
      return timestamps[at]!
    },
    key: () => null,
    value: () => null,
    headers: () => [],
  }
}

const queues = () => [new RecordQueue("a", 0, 0), new RecordQueue("b", 0, 0)] as const

test("T7: a partition with nothing at hand is waited for, until it is known to hold nothing more", () => {
  const [a, b] = queues()
  const group = new PartitionGroup([a, b])
  a.add(() => cursor(10), 1, 1)
  a.fetched(1, 1)
  // Nobody has fetched from b yet: what lies there may be earlier.
  expect([group.choose(), group.isReady]).toEqual([undefined, false])
  b.fetched(0, 5)
  expect([group.choose(), group.isReady]).toEqual([undefined, false])
  b.fetched(5, 5)
  expect([group.choose(), group.isReady]).toEqual([a, true])
})

test("T7: a partition that is used up before its end was read is waited for again", () => {
  const [a, b] = queues()
  const group = new PartitionGroup([a, b])
  a.add(() => cursor(10, 20), 2, 2)
  a.fetched(2, 2)
  b.add(() => cursor(5), 1, 1)
  b.fetched(1, 9)
  expect(group.choose()).toBe(b)
  b.advance()
  expect(group.choose()).toBeUndefined()
})

test("T8: with a time to wait, a partition that is read to its end is waited for as long, each time that it is used up", () => {
  const [a, b] = queues()
  let now = 1_000
  const group = new PartitionGroup([a, b], { maxIdleMs: 50, now: () => now })
  const next = () => {
    expect(group.isReady).toBe(group.choose() !== undefined)
    return group.choose()?.topic
  }
  a.add(() => cursor(10, 20), 2, 2)
  a.fetched(2, 2)
  // Time does not run while it is not known what lies there.
  expect(next()).toBeUndefined()
  now += 50
  b.fetched(0, 0)
  expect(next()).toBeUndefined()
  now += 49
  expect(next()).toBeUndefined()
  now += 1
  expect(next()).toBe("a")
  a.advance()
  // Its time is up already: the next record does not wait again.
  expect(next()).toBe("a")
  b.add(() => cursor(15), 1, 1)
  b.fetched(1, 1)
  expect(next()).toBe("b")
  b.advance()
  expect(next()).toBeUndefined()
  now += 50
  expect(next()).toBe("a")
})

test("T8: with -1 no partition is waited for, not even one of which nothing is known", () => {
  const [a, b] = queues()
  const group = new PartitionGroup([a, b], { maxIdleMs: -1, now: () => 0 })
  expect([group.choose(), group.isReady]).toEqual([undefined, false])
  a.add(() => cursor(10), 1, 1)
  expect([group.choose(), group.isReady]).toEqual([a, true])
  b.fetched(0, 5)
  expect(group.choose()).toBe(a)
})

test("T6: the smallest timestamp is next; of equal ones the partition that comes first", () => {
  const [a, b] = queues()
  const group = new PartitionGroup([a, b])
  a.add(() => cursor(10, 20), 2, 2)
  b.add(() => cursor(10, 15), 2, 2)
  const order: string[] = []
  for (const queue of [a, b]) queue.fetched(2, 2)
  for (let next = group.choose(); next !== undefined; next = group.choose()) {
    order.push(`${next.topic}${next.headTimestamp}`)
    next.advance()
  }
  expect(order).toEqual(["a10", "b10", "b15", "a20"])
})
