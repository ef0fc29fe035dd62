import type { Clock } from "@millrace/host"
import { describe, expect, test } from "vitest"
import { Schedule } from "../src/background/schedule.ts"
import { nodeHost } from "@millrace/host/node"
import { pass, startClock } from "./coordinator/passing-time.ts"
import { batch, NOW, start, temporaryDirectory } from "./harness.ts"

describe("retention", () => {
  const DAY_MS = 86_400_000
  const config = { "log.initial.task.delay.ms": "1", "log.retention.check.interval.ms": "1" }

  test("71: old records of a topic that deletes go, those of a compacted one stay", async () => {
    const client = await (await start(config)).client()
    const old = [{ key: "k", value: "v", timestamp: NOW - 30 * DAY_MS }]
    await client.createTopic("compacted", 1, { "cleanup.policy": "compact" })
    await client.createTopic("deleting")
    for (const topic of ["compacted", "deleting"]) await client.produce(topic, batch(old))
    while ((await client.offset("deleting", -2)) === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await client.offset("compacted", -2)).toBe(0)
    expect(await client.offset("deleting", -2)).toBe(1)
  })

  test("what it takes soon after it was written is told, once for each topic", async () => {
    const [clock, dataDir] = [startClock(), temporaryDirectory()]
    const options = { dataDir, host: { ...nodeHost, clock } }
    const settings = { "log.initial.task.delay.ms": "30000", "log.retention.check.interval.ms": "30000" }
    const first = await start(settings, options)
    let client = await first.client()
    for (const topic of ["historic", "present"]) await client.createTopic(topic, 1, { "retention.ms": "100000" })
    for (let round = 1; round <= 2; round++) {
      await client.produce("historic", batch([{ value: "v", timestamp: clock.now() - 10_000 * DAY_MS }]))
      await client.produce("present", batch([{ value: "v" }]))
      await pass(clock, 30_000)
      expect(await client.offset("historic", -2)).toBe(round)
    }
    expect(first.messages).toEqual([
      "topic historic: retention.ms=100000 deletes records that were written in the last 30 s: their own times are " +
        "10000 days or more ago; set retention.ms=-1 to keep them, or message.timestamp.type=LogAppendTime to go by when they came",
    ])
    await first.broker.close()
    // What is there long enough is what retention is for, whenever the broker was started.
    const second = await start(settings, options)
    client = await second.client()
    await pass(clock, 120_000)
    expect(await client.offset("present", -2)).toBe(2)
    expect(second.messages).toEqual([])
  })
})

test("a task repeats after its interval, at once while there is more to do, whatever a run's fault, until close", () => {
  let now = 0
  const due: { at: number; fire: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    setTimer: (delayMs, fire) => {
      const timer = { at: now + delayMs, fire }
      due.push(timer)
      return { cancel: () => void due.splice(due.indexOf(timer), 1) }
    },
  }
  const faults: string[] = []
  const schedule = new Schedule(clock, (task, cause) => faults.push(`${task}: ${(cause as Error).message}`))
  const runs: number[] = []
  schedule.start({
    name: "work",
    delayMs: 5,
    intervalMs: () => 10,
    run: () => {
      runs.push(now)
      if (runs.length === 1) throw new Error("once")
    },
  })
  const advance = (to: number) => {
    for (;;) {
      const next = due.filter(({ at }) => at <= to).sort((left, right) => left.at - right.at)[0]
      if (!next) break
      due.splice(due.indexOf(next), 1)
      now = next.at
      next.fire()
    }
    now = to
  }
  advance(30)
  expect(runs).toEqual([5, 15, 25])
  expect(faults).toEqual(["work: once"])
  let left = 3
  schedule.start({ name: "pieces", delayMs: 7, intervalMs: () => 10, run: () => runs.push(-now) > 0 && --left > 0 })
  runs.length = 0
  advance(48)
  // Others have their turns in between, and what is done waits for its interval again.
  expect(runs).toEqual([35, -37, -37, -37, 45, -47])
  schedule.close()
  runs.length = 0
  advance(100)
  expect(runs).toEqual([])
})
