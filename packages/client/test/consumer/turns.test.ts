import { ErrorCode } from "@millrace/protocol"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { expect, test } from "vitest"
import { CorruptBatch, PartitionState } from "../../src/consumer/partition-state.ts"
import { takeInTurns } from "../../src/consumer/turns.ts"

const MANY = 1e9

function batch(baseOffset: number): Uint8Array {
  const builder = new RecordBatchBuilder({ baseOffset })
  for (let index = 0; index < 2; index++) builder.append(1000, null, Buffer.from("v"))
  return builder.build()
}

/** Partitions that each buffer two batches of two records. */
const states = (count: number): PartitionState[] =>
  Array.from({ length: count }, (_, partition) => {
    const state = new PartitionState("t", partition, { readCommitted: false, checkCrcs: true })
    state.seek(0)
    for (const records of [batch(0), batch(2)]) {
      const ends = { highWatermark: 4, lastStableOffset: 4, logStartOffset: 0 }
      state.accept({ errorCode: ErrorCode.NONE, ...ends, abortedTransactions: null, records })
    }
    return state
  })

const taken = (from: readonly PartitionState[], turn: number, records = MANY, bytes = MANY): string[] =>
  takeInTurns(from, turn, { records, bytes }).map(({ partition, startOffset, nextOffset }) => {
    return `${partition}: ${startOffset}-${nextOffset}`
  })

test("all that is buffered is taken, one partition after the other, from the one whose turn it is", () => {
  expect(taken(states(3), 4)).toEqual(["1: 0-2", "1: 2-4", "2: 0-2", "2: 2-4", "0: 0-2", "0: 2-4"])
  expect(taken([], 4)).toEqual([])
})

test("limits stop it behind a whole batch; who is next has the next turn", () => {
  const two = states(2)
  expect(taken(two, 0, 1)).toEqual(["0: 0-2"])
  expect(taken(two, 1, MANY, 1)).toEqual(["1: 0-2"])
  expect(taken(two, 2, 3)).toEqual(["0: 2-4", "1: 2-4"])
  expect(taken(two, 3)).toEqual([])
})

test("partitions that are paused are passed over", () => {
  const two = states(2)
  two[0]!.paused = true
  expect(taken(two, 0)).toEqual(["1: 0-2", "1: 2-4"])
})

test("a corrupt batch takes nothing away from what was taken before it, and is thrown when it comes first", () => {
  const [good, bad] = states(2) as [PartitionState, PartitionState]
  const spoilt = batch(0)
  spoilt[spoilt.length - 1]! ^= 1
  bad.seek(0)
  const ends = { highWatermark: 2, lastStableOffset: 2, logStartOffset: 0 }
  bad.accept({ errorCode: ErrorCode.NONE, ...ends, abortedTransactions: null, records: spoilt })
  expect(taken([good, bad], 0)).toEqual(["0: 0-2", "0: 2-4"])
  expect(() => taken([good, bad], 0)).toThrow(CorruptBatch)
  expect(() => taken([good, bad], 1)).toThrow(CorruptBatch)
})
