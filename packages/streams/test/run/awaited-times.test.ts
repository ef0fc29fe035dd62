import { VirtualClock } from "@millrace/host/virtual-clock"
import { expect, test } from "vitest"
import { AwaitedTimes } from "../../src/run/awaited-times.ts"

test("what windows wait for is told once, after half a minute", () => {
  const clock = new VirtualClock()
  const said: string[] = []
  const repartitions = [{ topic: "app-n-repartition", partitions: undefined, upstream: 0, downstream: 1 }]
  const times = new AwaitedTimes({ repartitions }, clock, (message) => said.push(message))
  const waiting = { awaited: [{ topic: "app-n-repartition", upstreamPartitions: [2, 3] }] }
  for (let second = 0; second < 30; second++) {
    times.look([waiting, { awaited: [] }])
    clock.advance(1_000)
  }
  expect(said).toEqual([])
  for (let second = 0; second < 60; second++) {
    times.look([waiting])
    clock.advance(1_000)
  }
  expect(said).toEqual([expect.stringContaining("behind app-n-repartition waits for 0_2, 0_3, which had no record")])
})
