import { expect, test } from "vitest"
import { type RecordCursor, RecordQueue } from "../../src/task/record-queue.ts"

function cursor(offset: number, count: number): RecordCursor {
  let at = -1
  return {
    next: () => ++at < count,
    get offset() {
      return offset + at
    },
    timestamp: 0,
    key: () => null,
    value: () => null,
    headers: () => [],
  }
}

test("E5: a marker that is fetched while records are at hand is passed with the last of them", () => {
  const queue = new RecordQueue("t", 0, 0)
  queue.add(() => cursor(0, 2), 2, 2)
  queue.fetched(2, 3)
  queue.fetched(3, 3)
  queue.advance()
  expect([queue.position, queue.isCaughtUp]).toEqual([1, false])
  queue.advance()
  // Nothing will be fetched from 3 on until somebody writes: a task that waited for it would wait for new data.
  expect([queue.position, queue.isCaughtUp]).toEqual([3, true])
})
