import { describe, expect, test } from "vitest"
import { IllegalStateError, ProducerFatal, ProducerFenced, TransactionAbortable } from "../../src/errors.ts"
import { type TransactionPhase, TransactionState } from "../../src/producer/transaction-state.ts"

/** A state in each phase, by the way that leads there. */
const reach: Record<TransactionPhase, (state: TransactionState) => void> = {
  uninitialized: () => {},
  ready: (state) => state.initialized(),
  open: (state) => (reach.ready(state), state.begin()),
  committing: (state) => (reach.open(state), state.startCommit()),
  aborting: (state) => (reach.open(state), state.startAbort()),
  abortable: (state) => (reach.open(state), state.fail(new Error("boom"), false)),
  unknown: (state) => (reach.committing(state), state.outcomeUnknown()),
  fatal: (state) => (reach.open(state), state.fatal(new Error("boom"))),
}

const operations = {
  initialize: (state: TransactionState) => state.requireInitializable(),
  begin: (state: TransactionState) => state.begin(),
  append: (state: TransactionState) => state.requireOpen("append"),
  commit: (state: TransactionState) => state.startCommit(),
  abort: (state: TransactionState) => state.startAbort(),
}

const ok = undefined
const illegal = IllegalStateError
const abortable = TransactionAbortable
const fatal = ProducerFatal
type Row = readonly [TransactionPhase, ...(undefined | typeof illegal | typeof abortable | typeof fatal)[]]

//                          initialize begin      append     commit     abort
const table: readonly Row[] = [
  ["uninitialized", ok, illegal, illegal, illegal, illegal],
  ["ready", illegal, ok, illegal, illegal, illegal],
  ["open", illegal, illegal, ok, ok, ok],
  ["committing", illegal, illegal, illegal, illegal, illegal],
  ["aborting", illegal, illegal, illegal, illegal, illegal],
  ["abortable", abortable, abortable, abortable, abortable, ok],
  ["unknown", ok, illegal, illegal, illegal, illegal],
  ["fatal", fatal, fatal, fatal, fatal, fatal],
]

describe.each(table.map(([phase, ...expected]) => ({ phase, expected })))("in phase $phase", ({ phase, expected }) => {
  test.each(Object.keys(operations).map((name, index) => [name as keyof typeof operations, expected[index]] as const))(
    "%s",
    (name, error) => {
      const state = new TransactionState()
      reach[phase](state)
      expect(state.phase).toBe(phase)
      if (error === undefined) expect(() => operations[name](state)).not.toThrow()
      else expect(() => operations[name](state)).toThrow(error)
    },
  )
})

test("a fenced producer says so every time", () => {
  const state = new TransactionState()
  reach.open(state)
  state.fatal(new ProducerFenced("gone"))
  state.fatal(new Error("later"))
  expect(() => state.begin()).toThrow(ProducerFenced)
})

test("partitions that come while others are added go with the next request", () => {
  const state = new TransactionState()
  reach.open(state)
  expect(state.admits("t", 0)).toBe(false)
  expect(state.takeWaiting()).toEqual([{ topic: "t", partitions: [0] }])
  expect(state.admits("t", 0)).toBe(false)
  expect(state.admits("t", 1)).toBe(false)
  expect(state.hasWaiting).toBe(true)
  state.partitionsAdded()
  expect(state.admits("t", 0)).toBe(true)
  expect(state.admits("t", 1)).toBe(false)
  expect(state.takeWaiting()).toEqual([{ topic: "t", partitions: [1] }])
  state.partitionsAdded()
  expect([state.admits("t", 1), state.hasWaiting, state.isStarted]).toEqual([true, false, true])
})

test("partitions do not outlive their transaction", () => {
  const state = new TransactionState()
  reach.open(state)
  state.admits("t", 0)
  state.takeWaiting()
  state.partitionsAdded()
  state.startCommit()
  state.ended()
  state.begin()
  expect([state.admits("t", 0), state.isStarted]).toEqual([false, false])
})

test("a failure while committing makes it abortable; a lost sequence asks for a bump", () => {
  const state = new TransactionState()
  reach.committing(state)
  state.fail(new Error("boom"), true)
  expect([state.phase, state.bumpRequired]).toEqual(["abortable", true])
  expect(() => state.throwIfFailed("commit")).toThrow(/boom/)
  state.startAbort()
  state.ended()
  expect(state.bumpRequired).toBe(false)
})
