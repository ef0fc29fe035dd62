import { expect, test } from "vitest"
import { Accumulator } from "../../src/producer/accumulator.ts"

const encoder = new TextEncoder()

test("a batch can be taken at the very moment that nextWakeUp named, whatever the clock's fraction", () => {
  for (const created of [1.18 / 3, 0.1 + 0.2, 1.1764705882352942, 8.180339887498949, 1e6 / 3, 123.45678901234]) {
    for (const lingerMs of [1, 3, 5, 7, 9]) {
      const accumulator = new Accumulator({
        batchSize: 1_000,
        lingerMs,
        maxInFlight: 5,
        deliveryTimeoutMs: 1e6,
        bufferMemory: 1e6,
        bufferMemoryMax: 4e6,
        compression: "none",
        transactional: false,
      })
      accumulator.append("topic", 0, 0, null, encoder.encode("value"), undefined, () => created)
      const queue = accumulator.queue("topic", 0)
      const wakeUp = accumulator.nextWakeUp(created)
      expect(wakeUp).toBe(created + lingerMs)
      expect(accumulator.canTake(queue, wakeUp!), `created ${created}, linger ${lingerMs}`).toBe(true)
    }
  }
})
