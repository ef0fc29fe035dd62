/** InitProducerId with a transactional id. Numbers in names are rows of reference/broker.md, section 2. */
import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { TransactionHarness, timeoutMs } from "./transaction-harness.ts"

test("35: an open transaction is aborted under a raised epoch, and the retry raises it again", () => {
  const h = new TransactionHarness()
  const first = h.init()
  h.add(first)
  expect(h.init().errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
  expect(h.metadata()).toMatchObject({ state: "PrepareAbort", producerEpoch: 1 })
  expect(h.init().errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
  const [markers] = h.completeMarkers()
  expect(markers).toMatchObject({ producerId: first.producerId, producerEpoch: 1, commit: false })
  expect(h.init()).toMatchObject({ errorCode: ErrorCode.NONE, producerId: first.producerId, producerEpoch: 2 })
  expect(h.add(first)).toBe(ErrorCode.PRODUCER_FENCED)
  expect(h.commit(first)).toBe(ErrorCode.PRODUCER_FENCED)
})

describe("36: validation", () => {
  for (const [timeout, error] of [
    [0, ErrorCode.INVALID_TRANSACTION_TIMEOUT],
    [-1, ErrorCode.INVALID_TRANSACTION_TIMEOUT],
    [1, ErrorCode.NONE],
    [900_000, ErrorCode.NONE],
    [900_001, ErrorCode.INVALID_TRANSACTION_TIMEOUT],
  ] as const) {
    test(`a timeout of ${timeout} gets ${error}`, () => {
      expect(new TransactionHarness().init({}, { timeoutMs: timeout }).errorCode).toBe(error)
    })
  }

  test("an empty transactional id is none", () => {
    expect(new TransactionHarness().init({}, { transactionalId: "" }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})

describe("37: epochs", () => {
  test("a new id starts at epoch 0, and everyone who takes it over gets the next", () => {
    const h = new TransactionHarness()
    expect(h.init()).toMatchObject({ producerId: 1000, producerEpoch: 0 })
    expect(h.init()).toMatchObject({ producerId: 1000, producerEpoch: 1 })
    h.restart()
    expect(h.init()).toMatchObject({ producerId: 1000, producerEpoch: 2 })
  })

  test("who comes with its current epoch goes on with the next", () => {
    const h = new TransactionHarness()
    const first = h.init()
    expect(h.init(first)).toMatchObject({ errorCode: ErrorCode.NONE, producerId: 1000, producerEpoch: 1 })
  })

  test("who missed that answer hears it again, also after a failover (KAFKA-20357)", () => {
    const h = new TransactionHarness()
    const first = h.init()
    const second = h.init(first)
    expect(h.init(first)).toEqual(second)
    h.restart()
    expect(h.init(first)).toEqual(second)
    h.add(second)
    h.commit(second)
    h.completeMarkers()
    h.restart()
    expect(h.init(first)).toEqual(second)
  })

  test("who was replaced is fenced, also after a failover", () => {
    const h = new TransactionHarness()
    const first = h.init()
    h.init()
    expect(h.init(first).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    h.restart()
    expect(h.init(first).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    expect(h.init(first, { apiVersion: 3 }).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  test("who has another producer id is fenced", () => {
    const h = new TransactionHarness()
    h.init()
    expect(h.init({ producerId: 5, producerEpoch: 0 }).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test("past epoch 32766 the producer id rotates", () => {
    const h = new TransactionHarness()
    h.init()
    h.given({ producerEpoch: 32_765 })
    expect(h.init()).toMatchObject({ producerId: 1000, producerEpoch: 32_766 })
    expect(h.init()).toMatchObject({ producerId: 1001, producerEpoch: 0 })
  })

  test("a client that goes on past it may repeat itself with its old producer id", () => {
    const h = new TransactionHarness()
    h.init()
    h.given({ producerEpoch: 32_766 })
    const exhausted = { producerId: 1000, producerEpoch: 32_766 }
    const rotated = h.init(exhausted)
    expect(rotated).toMatchObject({ errorCode: ErrorCode.NONE, producerId: 1001, producerEpoch: 0 })
    h.restart()
    expect(h.init(exhausted)).toEqual(rotated)
    h.init()
    expect(h.init(exhausted).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test("a client whose id was taken over past it may not", () => {
    const h = new TransactionHarness()
    h.init()
    h.given({ producerEpoch: 32_766 })
    h.init()
    expect(h.init({ producerId: 1000, producerEpoch: 32_766 }).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test("fencing the owner of the last epoch leaves none, so the next owner gets a new producer id", () => {
    const h = new TransactionHarness()
    h.init()
    h.given({ producerEpoch: 32_766 })
    const owner = { producerId: 1000, producerEpoch: 32_766 }
    h.add(owner)
    expect(h.init().errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(h.completeMarkers()[0]).toMatchObject({ producerEpoch: 32_767 })
    expect(h.init()).toMatchObject({ producerId: 1001, producerEpoch: 0 })
  })

  test("the timeout is that of the last to come", () => {
    const h = new TransactionHarness()
    h.init()
    h.init({}, { timeoutMs: 5 })
    expect(h.metadata().timeoutMs).toBe(5)
    expect(timeoutMs).not.toBe(5)
  })
})
