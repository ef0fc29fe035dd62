import * as fc from "fast-check"
import { expect, test } from "vitest"
import { addSequence, RecordBatchView } from "@millrace/protocol/record/batch"
import { ErrorCode } from "@millrace/protocol"
import { readRecords } from "@millrace/protocol/record/record"
import { Accumulator } from "../../src/producer/accumulator.ts"
import type { ProducerBatch } from "../../src/producer/batch.ts"
import { outcomeOf } from "../../src/producer/outcome.ts"

const OPTIONS = {
  batchSize: 150,
  lingerMs: 0,
  maxInFlight: 5,
  deliveryTimeoutMs: 1e9,
  bufferMemory: 1e9,
  bufferMemoryMax: 4e9,
  compression: "none",
  transactional: false,
} as const

/**
 * A broker's rules for one partition and one producer (KIP-98): the last five batches are remembered; the first batch of a
 * producer that is not known may have any sequence.
 */
class ModelLog {
  readonly values: string[] = []
  readonly #window: { base: number; last: number }[] = []

  append(bytes: Uint8Array): number {
    const view = new RecordBatchView(bytes)
    expect(view.isValidCrc()).toBe(true)
    const { baseSequence: base, lastSequence: last } = view
    if (this.#window.some((entry) => entry.base === base && entry.last === last)) return ErrorCode.NONE
    if (this.#window.length > 0 && base !== addSequence(this.#window.at(-1)!.last, 1))
      return ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    this.#window.push({ base, last })
    if (this.#window.length > 5) this.#window.shift()
    readRecords(view, (record) => this.values.push(Buffer.from(record.value()!).toString()))
    return ErrorCode.NONE
  }
}

type Step = "append" | "send" | "deliver" | "refuse" | "loseAnswer" | "loseRequest"

test("whatever is lost or refused on the way, the log gets every record once and in order", () => {
  const step = fc.constantFrom<Step>(
    "append",
    "append",
    "send",
    "send",
    "deliver",
    "refuse",
    "loseAnswer",
    "loseRequest",
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const accumulator = new Accumulator(OPTIONS)
      accumulator.setIdentity({ id: 1, epoch: 0 }, true)
      const log = new ModelLog()
      const queue = accumulator.queue("t", 0)
      const wire: ProducerBatch[] = []
      let appended = 0
      const settle = (batch: ProducerBatch, code: number, lost: boolean) => {
        if (lost) {
          batch.maybeAppended = true
          return queue.retry(batch, 0)
        }
        const standing = {
          idempotent: true,
          transactional: false,
          isHead: queue.isHead(batch),
          sequenceLost: queue.poisoned,
          maybeAppended: batch.maybeAppended,
        }
        const outcome = outcomeOf(code, standing)
        expect(outcome.kind === "appended" || outcome.kind === "retry").toBe(true)
        if (outcome.kind === "appended") accumulator.release(batch, true)
        else queue.retry(batch, 0)
      }
      const act = (kind: Step) => {
        if (kind === "append") {
          accumulator.append("t", 0, appended, null, Buffer.from(String(appended++)), undefined, () => 0)
        } else if (kind === "send") {
          if (accumulator.canTake(queue, 0)) wire.push(accumulator.take(queue))
          expect(queue.inFlight.length).toBeLessThanOrEqual(5)
        } else {
          // A connection carries requests in order, so the oldest one is answered first.
          const batch = wire.shift()
          if (!batch) return
          if (kind === "deliver") settle(batch, log.append(batch.bytes), false)
          if (kind === "refuse") settle(batch, ErrorCode.NOT_ENOUGH_REPLICAS, false)
          if (kind === "loseRequest") settle(batch, 0, true)
          if (kind === "loseAnswer") {
            log.append(batch.bytes)
            settle(batch, 0, true)
          }
        }
      }
      for (const kind of steps) act(kind)
      for (let round = 0; round < 1000 && !accumulator.isEmpty; round++) {
        while (accumulator.canTake(queue, 0)) wire.push(accumulator.take(queue))
        act("deliver")
      }
      expect(accumulator.isEmpty).toBe(true)
      expect(accumulator.bufferedBytes).toBe(0)
      expect(log.values).toEqual(Array.from({ length: appended }, (_, index) => String(index)))
    }),
    { numRuns: 300 },
  )
})

test("a batch leaves when it is full, when it lingered, or at a flush", () => {
  const accumulator = new Accumulator({ ...OPTIONS, lingerMs: 10 })
  accumulator.append("t", 0, 0, null, Buffer.alloc(10), undefined, () => 100)
  const queue = accumulator.queue("t", 0)
  expect(accumulator.canTake(queue, 105)).toBe(false)
  expect(accumulator.nextWakeUp(105)).toBe(110)
  expect(accumulator.canTake(queue, 110)).toBe(true)
  accumulator.flushing = true
  expect(accumulator.canTake(queue, 100)).toBe(true)
  accumulator.flushing = false
  accumulator.append("t", 0, 0, null, Buffer.alloc(200), undefined, () => 101)
  expect(queue.ready.length).toBe(2)
  expect(accumulator.canTake(queue, 101)).toBe(true)
})

test("a new identity numbers what is surely not in the log from 0, and gives the rest back", () => {
  const accumulator = new Accumulator(OPTIONS)
  accumulator.setIdentity({ id: 1, epoch: 0 }, true)
  const queue = accumulator.queue("t", 0)
  for (let index = 0; index < 3; index++) accumulator.append("t", 0, 0, null, Buffer.alloc(100), undefined, () => 0)
  const sent = [accumulator.take(queue), accumulator.take(queue), accumulator.take(queue)]
  sent[1]!.maybeAppended = true
  for (const batch of sent.slice(1)) queue.retry(batch, 0)
  accumulator.release(sent[0]!, true)
  queue.poisoned = true
  expect(accumulator.wantsIdentity).toBe(true)
  expect(accumulator.setIdentity({ id: 2, epoch: 0 }, false)).toEqual([sent[1]])
  const again = accumulator.take(queue)
  expect(again).toBe(sent[2])
  const view = new RecordBatchView(again.bytes)
  expect([view.producerId, view.baseSequence, view.isValidCrc()]).toEqual([2, 0, true])
})

test("the memory of a batch serves another once it was delivered, and not before", () => {
  const accumulator = new Accumulator(OPTIONS)
  const queue = accumulator.queue("t", 0)
  const send = (byte: number) => {
    accumulator.append("t", 0, 0, null, Buffer.alloc(50, byte), undefined, () => 0)
    return accumulator.take(queue)
  }
  const memoryOf = (batch: ProducerBatch) => batch.bytes.buffer
  const valueOf = (batch: ProducerBatch) => {
    const values: number[] = []
    readRecords(new RecordBatchView(batch.bytes), (record) => values.push(record.value()![0]!))
    return values
  }
  send(0)
  // The size to expect is known from here on.
  const [first, second, third] = [send(1), send(2), send(3)]
  const memory = memoryOf(first)
  accumulator.release(first, true)
  accumulator.release(second, false)
  const [fourth, fifth] = [send(4), send(5)]
  expect(memoryOf(fourth) === memory).toBe(true)
  expect(new Set([second, third, fourth, fifth].map(memoryOf)).size).toBe(4)
  expect([second, third, fourth, fifth].map(valueOf)).toEqual([[2], [3], [4], [5]])
})

test("more than the hard limit is refused by name", () => {
  const accumulator = new Accumulator({ ...OPTIONS, bufferMemory: 1000, bufferMemoryMax: 5000 })
  const fill = () => {
    for (let index = 0; index < 100; index++) accumulator.append("t", 0, 0, null, Buffer.alloc(100), undefined, () => 0)
  }
  expect(fill).toThrow(/bufferMemoryMax is 5000/)
  expect(accumulator.bufferedBytes).toBeGreaterThan(4000)
})

test("a sequence that is not the next one is a loss at the head alone, and not where the one before was given up", () => {
  const code = ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
  const head = { idempotent: true, transactional: false, isHead: true, sequenceLost: false, maybeAppended: false }
  expect(outcomeOf(code, head).kind).toBe("failed")
  for (const standing of [{ isHead: false }, { sequenceLost: true }])
    expect(outcomeOf(code, { ...head, ...standing })).toEqual({ kind: "retry", maybeAppended: false })
  expect(outcomeOf(code, { ...head, sequenceLost: true, idempotent: false }).kind).toBe("failed")
})
