import { BufferPool } from "@millrace/host"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  ConnectionCore,
  type ConnectionEffects,
  type ConnectionLimits,
  type Slot,
} from "../../src/network/connection.ts"

const limits: ConnectionLimits = {
  requestBytesMax: 100,
  queuedRequestsMax: 4,
  queuedRequestBytesMax: 200,
  queuedResponseBytesMax: 50,
}

function frame(text: string): Buffer {
  const bytes = Buffer.alloc(4 + text.length)
  bytes.writeInt32BE(text.length)
  bytes.write(text, 4)
  return bytes
}

class Harness implements ConnectionEffects {
  readonly requests: { text: string; slot: Slot }[] = []
  readonly writes: string[] = []
  readonly events: string[] = []
  readonly taken: ((() => void) | undefined)[] = []
  pending = 0
  answerAtOnce = false
  readonly core: ConnectionCore
  constructor(overrides: Partial<ConnectionLimits> = {}) {
    this.core = new ConnectionCore({ ...limits, ...overrides }, new BufferPool(), this)
  }
  request(bytes: Uint8Array, slot: Slot): void {
    const text = Buffer.from(bytes).toString()
    this.requests.push({ text, slot })
    if (this.answerAtOnce) this.core.answer(slot, [Buffer.from(text.toUpperCase())])
  }
  send(chunks: readonly Uint8Array[], taken: (() => void) | undefined): number {
    this.writes.push(Buffer.concat(chunks).toString())
    this.taken.push(taken)
    return this.pending
  }
  pause(): void {
    this.events.push("pause")
  }
  resume(): void {
    this.events.push("resume")
  }
  close(reason?: string): void {
    this.events.push(reason === undefined ? "end" : `close: ${reason}`)
  }
  answer(index: number, taken?: () => void): void {
    const { slot, text } = this.requests[index]!
    this.core.answer(slot, [Buffer.from(text.toUpperCase())], taken)
  }
}

describe("order", () => {
  test("3: answers leave in request order though later ones are ready first", () => {
    const harness = new Harness()
    harness.core.receive(Buffer.concat([frame("a"), frame("b"), frame("c")]))
    harness.answer(2)
    harness.answer(1)
    expect(harness.writes).toEqual([])
    harness.answer(0)
    expect(harness.writes).toEqual(["ABC"])
  })

  test("2: a request without answer leaves no gap", () => {
    const harness = new Harness()
    harness.core.receive(Buffer.concat([frame("a"), frame("b")]))
    harness.answer(1)
    harness.core.answer(harness.requests[0]!.slot, null)
    expect(harness.writes).toEqual(["B"])
  })

  test("answers given while a chunk is read are one write", () => {
    const harness = new Harness()
    harness.answerAtOnce = true
    harness.core.receive(Buffer.concat([frame("a"), frame("b"), frame("c")]))
    expect(harness.writes).toEqual(["ABC"])
  })

  test("whatever the chunks and the order of answers, the output is the requests in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        (texts, cuts, choices) => {
          const harness = new Harness({ queuedRequestsMax: 3 })
          const bytes = Buffer.concat(texts.map(frame))
          let at = 0
          for (let turn = 0; at < bytes.length; turn++) {
            const size = cuts[turn % cuts.length]!
            harness.core.receive(bytes.subarray(at, at + size))
            at += size
          }
          for (;;) {
            const open = harness.requests.filter(({ slot }) => slot.answer === undefined)
            if (open.length === 0) break
            const pick = open[choices.next().value! % open.length]!
            harness.answer(harness.requests.indexOf(pick))
          }
          expect(harness.writes.join("")).toBe(texts.map((text) => text.toUpperCase()).join(""))
        },
      ),
    )
  })
})

describe("bounds", () => {
  test("108: a frame above socket.request.max.bytes closes the connection before it is read", () => {
    const harness = new Harness()
    const length = Buffer.alloc(4)
    length.writeInt32BE(101)
    harness.core.receive(length)
    expect(harness.events).toEqual(["close: a frame of 101 bytes, allowed are 0 to 100"])
    harness.core.receive(frame("a"))
    expect(harness.requests).toEqual([])
  })

  test("reading stops at the bound of unanswered requests and goes on below it", () => {
    const harness = new Harness()
    harness.core.receive(Buffer.concat(["a", "b", "c", "d", "e", "f"].map(frame)))
    expect(harness.requests.map(({ text }) => text)).toEqual(["a", "b", "c", "d"])
    expect(harness.events).toEqual(["pause"])
    harness.answer(0)
    expect(harness.requests.map(({ text }) => text)).toEqual(["a", "b", "c", "d", "e"])
    harness.answer(1)
    harness.answer(2)
    expect(harness.requests).toHaveLength(6)
    expect(harness.events).toEqual(["pause", "resume"])
  })

  test("reading stops at the bound of unanswered bytes", () => {
    const harness = new Harness()
    harness.core.receive(Buffer.concat(["x", "y", "z"].map((text) => frame(text.repeat(100)))))
    expect(harness.requests).toHaveLength(2)
    harness.answer(0)
    expect(harness.requests).toHaveLength(3)
  })

  test("nothing is dispatched while the client does not take its answers", () => {
    const harness = new Harness()
    harness.pending = 50
    harness.answerAtOnce = true
    harness.core.receive(frame("a"))
    expect(harness.events).toEqual(["pause"])
    harness.core.receive(frame("b"))
    expect(harness.requests).toHaveLength(1)
    harness.pending = 0
    harness.core.drained(0)
    expect(harness.writes).toEqual(["A", "B"])
    expect(harness.events).toEqual(["pause", "resume"])
  })

  test("more answered requests in one chunk than the bound are all served", () => {
    const harness = new Harness()
    harness.answerAtOnce = true
    harness.core.receive(Buffer.concat(Array.from({ length: 11 }, () => frame("a"))))
    expect(harness.writes.join("")).toBe("A".repeat(11))
    expect(harness.core.unanswered).toBe(0)
  })

  test("101: throttled, the answer leaves at once and nothing more is taken until unmuted", () => {
    const harness = new Harness()
    harness.core.receive(frame("a"))
    harness.answer(0)
    harness.core.mute()
    expect(harness.writes).toEqual(["A"])
    harness.core.receive(frame("b"))
    expect(harness.requests).toHaveLength(1)
    harness.core.unmute()
    expect(harness.requests).toHaveLength(2)
    expect(harness.events).toEqual(["pause", "resume"])
  })
})

describe("end", () => {
  test("draining answers what was taken, takes no more, then ends", () => {
    const harness = new Harness()
    harness.core.receive(Buffer.concat([frame("a"), frame("b")]))
    harness.core.drain()
    harness.core.receive(frame("c"))
    harness.answer(1)
    expect(harness.events).toEqual(["pause"])
    harness.answer(0)
    expect(harness.writes).toEqual(["AB"])
    expect(harness.events).toEqual(["pause", "end"])
    expect(harness.requests).toHaveLength(2)
  })

  test("late answers of a closed connection are dropped", () => {
    const harness = new Harness()
    harness.core.receive(frame("a"))
    harness.core.closed()
    harness.answer(0)
    expect(harness.writes).toEqual([])
  })
})

describe("memory", () => {
  test("owners of answers that left together are told when the network has taken them, in order, and not before", () => {
    const harness = new Harness()
    const told: string[] = []
    harness.core.receive(Buffer.concat([frame("a"), frame("b"), frame("c")]))
    harness.answer(1, () => told.push("b"))
    harness.answer(2)
    expect(harness.writes).toEqual([])
    harness.answer(0, () => told.push("a"))
    expect(harness.writes).toEqual(["ABC"])
    expect(told).toEqual([])
    harness.taken[0]!()
    expect(told).toEqual(["a", "b"])
  })

  test("the owner of an answer that was not sent is told nothing", () => {
    const harness = new Harness()
    const told: string[] = []
    harness.core.receive(Buffer.concat([frame("a"), frame("b")]))
    harness.answer(1, () => told.push("b"))
    harness.core.closed()
    harness.answer(0, () => told.push("a"))
    expect(harness.writes).toEqual([])
    expect(told).toEqual([])
  })
})
