import { expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { endTxnMarkerBatch } from "@millrace/protocol/record/control"
import { CorruptBatch, PartitionState } from "../../src/consumer/partition-state.ts"
import type { FetchedPartition } from "../../src/consumer/fetched.ts"

const UNLIMITED = { records: 1e9, bytes: 1e9 }

function batch(baseOffset: number, count: number, producerId = -1): Uint8Array {
  const transactional = producerId >= 0
  const builder = new RecordBatchBuilder({
    baseOffset,
    producerId,
    producerEpoch: 0,
    baseSequence: 0,
    transactional,
    partitionLeaderEpoch: 4,
  })
  for (let index = 0; index < count; index++) builder.append(1000, null, Buffer.from(String(baseOffset + index)))
  return builder.build()
}

const data = (
  records: readonly Uint8Array[],
  aborted: { producerId: number; firstOffset: number }[] | null = null,
) => ({
  errorCode: ErrorCode.NONE,
  highWatermark: 100,
  lastStableOffset: 90,
  logStartOffset: 0,
  abortedTransactions: aborted,
  records: Buffer.concat(records),
})

const state = (readCommitted = true) => new PartitionState("t", 0, { readCommitted, checkCrcs: true })

function offsets(fetched: FetchedPartition | undefined): number[] {
  const list: number[] = []
  fetched?.forEach((record) => list.push(record.offset))
  return list
}

test("a position inside a batch skips what lies before it", () => {
  const partition = state()
  partition.seek(7)
  expect(partition.accept(data([batch(5, 5)]))).toBe(true)
  const fetched = partition.take(UNLIMITED)!
  expect(offsets(fetched)).toEqual([7, 8, 9])
  expect([fetched.startOffset, fetched.nextOffset, partition.position, partition.fetchOffset]).toEqual([7, 10, 10, 10])
  expect([fetched.highWatermark, fetched.lastStableOffset, fetched.leaderEpoch]).toEqual([100, 90, 4])
})

test("the end of the log was seen when an answer brought all that there was, or nothing; not by one that brought a part", () => {
  const partition = state()
  partition.seek(0)
  partition.accept({ ...data([batch(0, 5)]), highWatermark: 10 }, 1_000)
  expect(partition.endSeenAt).toBeUndefined()
  partition.accept({ ...data([batch(5, 5)]), highWatermark: 10 }, 1_500)
  expect(partition.endSeenAt).toBe(1_500)
  partition.accept({ ...data([]), highWatermark: 12 }, 2_000)
  expect(partition.endSeenAt).toBe(1_500)
  partition.accept({ ...data([]), highWatermark: 10 }, 2_500)
  expect(partition.endSeenAt).toBe(2_500)
  partition.seek(3)
  expect(partition.endSeenAt).toBeUndefined()
})

test("the end that could be read is that of the last answer, with when it was asked for", () => {
  const partition = state()
  partition.seek(0)
  expect(partition.readableEnd).toBeUndefined()
  partition.accept({ ...data([batch(0, 5)]), highWatermark: 10, lastStableOffset: 8 }, 1_000)
  expect(partition.readableEnd).toEqual({ offset: 8, askedAt: 1_000 })
  partition.accept({ ...data([]), highWatermark: 12, lastStableOffset: 12 }, 1_500)
  expect(partition.readableEnd).toEqual({ offset: 12, askedAt: 1_500 })
  partition.seek(3)
  expect(partition.readableEnd).toBeUndefined()
})

test("whole batches up to the limit, the position follows", () => {
  const partition = state()
  partition.seek(0)
  partition.accept(data([batch(0, 5), batch(5, 5), batch(10, 5)]))
  expect(offsets(partition.take({ records: 6, bytes: 1e9 }))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect([partition.position, partition.hasBuffered]).toEqual([10, true])
  expect(offsets(partition.take({ records: 1, bytes: 1 }))).toEqual([10, 11, 12, 13, 14])
  expect([partition.hasBuffered, partition.bufferedBytes]).toEqual([false, 0])
  expect(partition.take(UNLIMITED)).toBeUndefined()
})

test("answers queue behind each other; an incomplete tail is fetched again", () => {
  const partition = state()
  partition.seek(0)
  partition.accept(data([batch(0, 2), batch(2, 2).subarray(0, 40)]))
  expect(partition.fetchOffset).toBe(2)
  partition.accept(data([batch(2, 2)]))
  expect([offsets(partition.take(UNLIMITED)), offsets(partition.take(UNLIMITED))]).toEqual([
    [0, 1],
    [2, 3],
  ])
})

test("markers and aborted batches move the position and are not seen", () => {
  const partition = state()
  partition.seek(0)
  const marker = endTxnMarkerBatch({
    committed: false,
    coordinatorEpoch: 0,
    producerId: 9,
    producerEpoch: 0,
    timestamp: 0,
    baseOffset: 3,
  })
  partition.accept(data([batch(0, 1), batch(1, 2, 9), marker, batch(4, 1, 9)], [{ producerId: 9, firstOffset: 1 }]))
  const fetched = partition.take(UNLIMITED)!
  expect([offsets(fetched), fetched.nextOffset]).toEqual([[0, 4], 5])
  const dirty = state(false)
  dirty.seek(0)
  dirty.accept(data([batch(0, 1), batch(1, 2, 9), marker]))
  expect(offsets(dirty.take(UNLIMITED))).toEqual([0, 1, 2])
})

test("an aborted transaction in two answers is hidden in both", () => {
  const partition = state()
  partition.seek(0)
  partition.accept(data([batch(0, 1, 9)], [{ producerId: 9, firstOffset: 0 }]))
  partition.accept(data([batch(1, 1, 9), batch(2, 1)]))
  expect([offsets(partition.take(UNLIMITED)), offsets(partition.take(UNLIMITED))]).toEqual([[], [2]])
})

test("a seek drops what was fetched and recognises answers from before", () => {
  const partition = state()
  partition.seek(0)
  const stamp = partition.stamp
  partition.accept(data([batch(0, 5)]))
  partition.seek(3)
  expect([partition.hasBuffered, partition.position, partition.fetchOffset]).toEqual([false, 3, 3])
  expect(partition.stamp).not.toBe(stamp)
})

test("out of range shows once everything before it was handed out", () => {
  const partition = state()
  partition.seek(0)
  partition.accept(data([batch(0, 5)]))
  partition.accept({ ...data([]), errorCode: ErrorCode.OFFSET_OUT_OF_RANGE })
  expect(partition.isOutOfRange).toBe(false)
  partition.take(UNLIMITED)
  expect(partition.isOutOfRange).toBe(true)
  partition.seek(2)
  expect(partition.isOutOfRange).toBe(false)
})

test("a damaged batch is named", () => {
  const partition = state()
  partition.seek(0)
  const bytes = batch(0, 5)
  bytes[bytes.length - 2]! ^= 1
  partition.accept(data([bytes]))
  expect(() => partition.take(UNLIMITED)).toThrow(CorruptBatch)
  expect(() => partition.take(UNLIMITED)).toThrow(CorruptBatch)
  expect(partition.position).toBe(0)
})

test("what came before a damaged batch is handed out, and the damage is never passed silently", () => {
  const partition = state()
  partition.seek(0)
  const damaged = batch(5, 5)
  damaged[damaged.length - 2]! ^= 1
  partition.accept(data([batch(0, 5), damaged, batch(10, 5)]))
  expect(offsets(partition.take(UNLIMITED))).toEqual([0, 1, 2, 3, 4])
  for (let poll = 0; poll < 2; poll++) expect(() => partition.take(UNLIMITED)).toThrow(CorruptBatch)
  expect(partition.position).toBe(5)
})
