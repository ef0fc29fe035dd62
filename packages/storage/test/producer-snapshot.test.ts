import { describe, expect, it } from "vitest"
import { ProducerEntry } from "../src/producer-entry.ts"
import { decodeProducerSnapshot, encodeProducerSnapshot } from "../src/producer-snapshot.ts"

/** Written by Kafka's own ProducerStateManager (4.4.0): one producer with its last batch, one with an open transaction. */
const GOLDEN =
  "0001c4f2ca3c00000002000003a35294400100030000002900000000000000630000000100000000000004d200000009ffff" +
  "ffffffffffff000003a3529440020000000000000000000000000046000000000000000000000514ffffffff000000000000" +
  "0046"

describe("producer snapshots", () => {
  it("read and write what Kafka writes", () => {
    const bytes = Buffer.from(GOLDEN, "hex")
    const producers = decodeProducerSnapshot(bytes, 5)!
    expect([...producers.values()]).toEqual([
      expect.objectContaining({
        producerId: 4_000_000_000_001,
        epoch: 3,
        coordinatorEpoch: 9,
        lastTimestamp: 1234,
        currentTxnFirstOffset: -1,
        batches: [{ lastSequence: 41, lastOffset: 99, offsetDelta: 1, timestamp: 1234 }],
        lastSeen: 5,
      }),
      expect.objectContaining({
        producerId: 4_000_000_000_002,
        epoch: 0,
        coordinatorEpoch: -1,
        currentTxnFirstOffset: 70,
        batches: [{ lastSequence: 0, lastOffset: 70, offsetDelta: 0, timestamp: 1300 }],
      }),
    ])
    expect(Buffer.from(encodeProducerSnapshot(producers.values())).toString("hex")).toBe(GOLDEN)
  })

  it("keep whole windows, and producers of which only a marker is known", () => {
    const full = new ProducerEntry(1, 0)
    for (let index = 0; index < 7; index++) {
      full.addBatch(2, { lastSequence: index, lastOffset: 10 + index, offsetDelta: 0, timestamp: 100 + index })
    }
    full.lastTimestamp = 500
    const bare = new ProducerEntry(2, 0)
    bare.setEpoch(4)
    bare.coordinatorEpoch = 6
    bare.lastTimestamp = 77
    const read = decodeProducerSnapshot(encodeProducerSnapshot([full, bare]), 0)!
    expect(read.get(1)!.batches.map(({ lastSequence }) => lastSequence)).toEqual([2, 3, 4, 5, 6])
    expect(read.get(1)).toMatchObject({ epoch: 2, lastTimestamp: 500 })
    expect(read.get(2)).toMatchObject({ epoch: 4, coordinatorEpoch: 6, lastTimestamp: 77, batches: [] })
  })

  it("are refused when any byte is wrong or missing", () => {
    const bytes = Buffer.from(GOLDEN, "hex")
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      expect(decodeProducerSnapshot(changed, 0)).toBeUndefined()
      expect(decodeProducerSnapshot(bytes.subarray(0, at), 0)).toBeUndefined()
    }
  })
})
