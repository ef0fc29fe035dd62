/** Adding partitions and ending transactions. Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode, errorName } from "@millrace/protocol"
import { addInState } from "../../src/transaction/add-partitions.ts"
import { isPrepared, nextStates, type StoredState } from "../../src/transaction/state.ts"
import { TransactionHarness, timeoutMs } from "./transaction-harness.ts"

const states = Object.keys(nextStates) as StoredState[]

/** A transactional id at epoch 5 in a state, its client at `epoch`. */
function given(state: StoredState, transactionVersion = 1) {
  const h = new TransactionHarness({ transactionVersion })
  const { producerId } = h.init()
  const open = state === "Ongoing" || isPrepared(state)
  const partitions = new Map(open ? [["t", new Set([0])]] : [])
  h.given({ state, producerEpoch: 5, previousProducerId: producerId, partitions, startTimestamp: open ? h.now : -1 })
  return { h, producer: { producerId, producerEpoch: 5 }, last: { producerId, producerEpoch: 4 } }
}

describe("38: while a decision's markers are on their way", () => {
  for (const state of ["PrepareCommit", "PrepareAbort"] as const) {
    test(`${state} answers CONCURRENT_TRANSACTIONS`, () => {
      const { h, producer } = given(state)
      expect(h.add(producer, 1)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
      expect(h.add(producer, 0, { verify: true })).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
      expect(h.end(producer, state === "PrepareCommit").errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
      expect(h.init().errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
      expect(h.metadata().state).toBe(state)
    })
  }
})

describe("adding partitions", () => {
  for (const state of states) {
    test(`in ${state}`, () => {
      const { h, producer } = given(state)
      const expected = addInState[state]
      expect(h.add(producer, 1)).toBe(expected === "add" ? ErrorCode.NONE : expected)
      expect(h.metadata().state).toBe(expected === "add" ? "Ongoing" : state)
    })
  }

  test("writes nothing when they are in", () => {
    const { h, producer } = given("Ongoing")
    const records = h.log.length
    expect(h.add(producer, 0)).toBe(ErrorCode.NONE)
    expect(h.log.length).toBe(records)
  })

  const owners = [
    { name: "another producer id", change: { producerId: 1 }, error: ErrorCode.INVALID_PRODUCER_ID_MAPPING },
    { name: "an old epoch", change: { producerEpoch: 4 }, error: ErrorCode.PRODUCER_FENCED },
    { name: "a future epoch", change: { producerEpoch: 6 }, error: ErrorCode.PRODUCER_FENCED },
  ]
  for (const { name, change, error } of owners) {
    test(`with ${name} is refused`, () => {
      const { h, producer } = given("Ongoing")
      expect(h.add({ ...producer, ...change }, 1)).toBe(error)
      expect(h.add({ ...producer, ...change }, 0, { verify: true })).toBe(error)
      expect(h.end({ ...producer, ...change }, true).errorCode).toBe(error)
    })
  }

  test("of an unknown or empty id is refused", () => {
    const { h, producer } = given("Ongoing")
    expect(h.add(producer, 0, { transactionalId: "x" })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    expect(h.add(producer, 0, { transactionalId: "" })).toBe(ErrorCode.INVALID_REQUEST)
  })

  test("42: verifying tells who is in", () => {
    const { h, producer } = given("Ongoing")
    expect(h.add(producer, 0, { verify: true })).toBe(ErrorCode.NONE)
    expect(h.add(producer, 1, { verify: true })).toBe(ErrorCode.TRANSACTION_ABORTABLE)
    expect(h.metadata().partitions.get("t")).toEqual(new Set([0]))
  })
})

type EndTable = Record<StoredState, { readonly commit: string; readonly abort: string }>

function checkTable(table: EndTable, apiVersion: number, who: "producer" | "last"): void {
  for (const state of states) {
    for (const result of ["commit", "abort"] as const) {
      test(`${result} in ${state}: ${table[state][result]}`, () => {
        const scene = given(state, apiVersion >= 5 ? 2 : 1)
        const answer = scene.h.end(scene[who], result === "commit", apiVersion)
        const expected = table[state][result]
        const ends = expected === "ends"
        expect(errorName(answer.errorCode)).toBe(ends ? "NONE" : expected)
        const prepared = result === "commit" ? "PrepareCommit" : "PrepareAbort"
        expect(scene.h.metadata().state).toBe(ends ? prepared : state)
        expect(scene.h.sends.length).toBe(ends ? 1 : 0)
      })
    }
  }
}

describe("EndTxn of version 1", () => {
  checkTable(
    {
      Empty: { commit: "INVALID_TXN_STATE", abort: "INVALID_TXN_STATE" },
      Ongoing: { commit: "ends", abort: "ends" },
      PrepareCommit: { commit: "CONCURRENT_TRANSACTIONS", abort: "INVALID_TXN_STATE" },
      PrepareAbort: { commit: "INVALID_TXN_STATE", abort: "CONCURRENT_TRANSACTIONS" },
      CompleteCommit: { commit: "NONE", abort: "INVALID_TXN_STATE" },
      CompleteAbort: { commit: "INVALID_TXN_STATE", abort: "NONE" },
    },
    4,
    "producer",
  )
})

describe("39: EndTxn of version 2 at the current epoch", () => {
  checkTable(
    {
      Empty: { commit: "INVALID_TXN_STATE", abort: "ends" },
      Ongoing: { commit: "ends", abort: "ends" },
      PrepareCommit: { commit: "PRODUCER_FENCED", abort: "PRODUCER_FENCED" },
      PrepareAbort: { commit: "PRODUCER_FENCED", abort: "PRODUCER_FENCED" },
      CompleteCommit: { commit: "INVALID_TXN_STATE", abort: "ends" },
      CompleteAbort: { commit: "INVALID_TXN_STATE", abort: "ends" },
    },
    5,
    "producer",
  )
})

describe("39: EndTxn of version 2 repeated", () => {
  checkTable(
    {
      Empty: { commit: "PRODUCER_FENCED", abort: "PRODUCER_FENCED" },
      Ongoing: { commit: "PRODUCER_FENCED", abort: "PRODUCER_FENCED" },
      PrepareCommit: { commit: "CONCURRENT_TRANSACTIONS", abort: "INVALID_TXN_STATE" },
      PrepareAbort: { commit: "INVALID_TXN_STATE", abort: "CONCURRENT_TRANSACTIONS" },
      CompleteCommit: { commit: "NONE", abort: "INVALID_TXN_STATE" },
      CompleteAbort: { commit: "PRODUCER_FENCED", abort: "NONE" },
    },
    5,
    "last",
  )
})

describe("40, 41: version 2", () => {
  test("every end raises the epoch, tells it, and markers carry it", () => {
    const h = new TransactionHarness({ transactionVersion: 2 })
    let producer = h.init()
    for (let epoch = 1; epoch <= 3; epoch++) {
      expect(h.add(producer, 0, { version: 2 })).toBe(ErrorCode.NONE)
      const ended = h.end(producer, epoch % 2 === 0, 5)
      expect(ended).toMatchObject({ errorCode: ErrorCode.NONE, producerId: 1000, producerEpoch: epoch })
      expect(h.completeMarkers()[0]).toMatchObject({ producerEpoch: epoch })
      expect(h.end(producer, epoch % 2 === 0, 5)).toEqual(ended)
      producer = { ...producer, ...ended }
    }
  })

  test("at 32766 the producer id rotates and the epoch restarts", () => {
    const h = new TransactionHarness({ transactionVersion: 2 })
    h.init()
    h.given({ producerEpoch: 32_766 })
    const last = { producerId: 1000, producerEpoch: 32_766 }
    h.add(last, 0, { version: 2 })
    const ended = h.end(last, true, 5)
    expect(ended).toMatchObject({ producerId: 1001, producerEpoch: 0 })
    expect(h.completeMarkers()[0]).toMatchObject({ producerId: 1000, producerEpoch: 32_767 })
    h.restart()
    expect(h.metadata()).toMatchObject({ producerId: 1001, producerEpoch: 0, state: "CompleteCommit" })
    expect(h.end(last, true, 5)).toEqual(ended)
  })
})

describe("43: a delayed request of the last transaction", () => {
  test("cannot be told from the next one's in version 1", () => {
    const h = new TransactionHarness()
    const producer = h.init()
    h.add(producer)
    h.commit(producer)
    h.completeMarkers()
    h.add(producer)
    expect(h.commit(producer)).toBe(ErrorCode.NONE)
  })

  test("is fenced in version 2", () => {
    const h = new TransactionHarness({ transactionVersion: 2 })
    const first = h.init()
    h.add(first, 0, { version: 2 })
    const second = h.end(first, true, 5)
    h.completeMarkers()
    h.add(second, 0, { version: 2 })
    expect(h.end(first, true, 5).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    expect(h.add(first, 1, { version: 2 })).toBe(ErrorCode.PRODUCER_FENCED)
  })
})

describe("44: a transaction past its timeout", () => {
  test("is aborted under a raised epoch, which fences its client", () => {
    const h = new TransactionHarness()
    const producer = h.init()
    h.add(producer)
    h.advance(timeoutMs - 1)
    expect(h.metadata().state).toBe("Ongoing")
    h.advance(1)
    expect(h.metadata()).toMatchObject({ state: "PrepareAbort", producerEpoch: 1 })
    expect(h.completeMarkers()[0]).toMatchObject({ producerEpoch: 1, commit: false })
    expect(h.commit(producer)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(h.end(producer, true, 1).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(h.init(producer).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test("fences a client that had gone on after an error as well", () => {
    const h = new TransactionHarness()
    const producer = h.init(h.init())
    h.add(producer)
    h.advance(timeoutMs)
    h.completeMarkers()
    expect(h.init(producer).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test("counts from its first partition, and a restart does not begin it anew", () => {
    const h = new TransactionHarness()
    const producer = h.init()
    h.advance(timeoutMs)
    h.add(producer, 0)
    h.advance(timeoutMs / 2)
    h.add(producer, 1)
    h.restart()
    h.advance(timeoutMs / 2)
    expect(h.metadata().state).toBe("PrepareAbort")
  })

  test("does not hit the next one", () => {
    const h = new TransactionHarness()
    const producer = h.init()
    h.add(producer)
    h.advance(timeoutMs - 1)
    h.commit(producer)
    h.completeMarkers()
    h.add(producer)
    h.advance(timeoutMs - 1)
    expect(h.metadata().state).toBe("Ongoing")
  })

  test.each([
    ["of version 2", 2],
    ["begun before version 2 was turned on", 1],
  ])("%s leaves its client the way back", (_, versionAtFirst) => {
    const options = { transactionVersion: versionAtFirst }
    const h = new TransactionHarness(options)
    const producer = h.init()
    h.add(producer, 0, { version: 2 })
    options.transactionVersion = 2
    h.advance(timeoutMs)
    h.completeMarkers()
    expect(h.end(producer, true, 5).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    expect(h.init(producer)).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 })
  })
})

describe("49: what a crash leaves", () => {
  test("a decision is carried out", () => {
    for (const commit of [true, false]) {
      const h = new TransactionHarness()
      const producer = h.init()
      h.add(producer, 0)
      h.add(producer, 3)
      h.end(producer, commit)
      h.sends.splice(0)
      h.restart()
      expect(h.sends).toEqual([
        {
          transactionalId: "tx",
          ...{ producerId: 1000, producerEpoch: 0 },
          commit,
          partitions: new Map([["t", new Set([0, 3])]]),
        },
      ])
      h.completeMarkers()
      expect(h.metadata().state).toBe(commit ? "CompleteCommit" : "CompleteAbort")
    }
  })

  test("an open transaction is open still, with its partitions", () => {
    const h = new TransactionHarness()
    const producer = h.init()
    h.add(producer, 2)
    h.restart()
    expect(h.add(producer, 2, { verify: true })).toBe(ErrorCode.NONE)
    expect(h.commit(producer)).toBe(ErrorCode.NONE)
  })

  test("markers reported twice, or late, change nothing", () => {
    const h = new TransactionHarness()
    const producer = h.init()
    h.add(producer)
    h.commit(producer)
    const [sent] = h.completeMarkers()
    h.sends.push(sent!)
    h.completeMarkers()
    h.add(producer)
    h.sends.push(sent!)
    h.completeMarkers()
    expect(h.metadata().state).toBe("Ongoing")
  })
})

test("an id that nobody uses for a week is forgotten, but not in the middle of a transaction", () => {
  const h = new TransactionHarness()
  const producer = h.init()
  h.add(producer)
  h.given({ timeoutMs: 2_147_483_647 })
  h.init({}, { transactionalId: "idle" })
  h.restart()
  h.advance(604_800_000 + 3_600_000)
  expect([...h.shard.state.transactions.keys()]).toEqual(["tx"])
  expect(h.metadata().state).toBe("Ongoing")
})
