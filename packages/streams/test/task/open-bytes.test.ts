/**
 * How large an open transaction may become: it is asked to end by the bytes that it holds, and what it holds all the same
 * is written in parts that wait for room.
 */
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { FLUSH_LIMITS } from "../../src/state/committed.ts"
import { MemoryEngine } from "../../src/state/memory-engine.ts"
import { openStore } from "../../src/state/open-store.ts"
import type { TaskLimits } from "../../src/task/limits.ts"
import { Task } from "../../src/task/task.ts"
import { makeTopology } from "../../src/topology/topology.ts"

const In = S.topic("in", { key: string, value: json<{ text: string }>() })

function newTask(limits: Partial<TaskLimits>, headers: S.Headers = []) {
  const pipeline = S.pipeline("app", () => S.table(In, { headers: true }))
  const { subtopologies } = makeTopology(pipeline.plan, "app")
  const subtopology = subtopologies[0]!
  const spec = subtopology.stores[0]!
  const held = { bytes: 0, mostBytes: 0, records: 0 }
  const task = new Task({
    applicationId: "app",
    pipeline: "app",
    id: { subtopology: 0, partition: 0 },
    subtopology,
    taskCount: 1,
    inputs: [{ topic: "in", partition: 0, position: 0, metadata: undefined }],
    stores: new Map([[spec.name, openStore(spec, new MemoryEngine(), FLUSH_LIMITS)]]),
    output: {
      append: (_topic, _partition, _timestamp, key, value, written = []) => {
        held.records++
        held.bytes += (key?.length ?? 0) + (value?.length ?? 0)
        for (const header of written) held.bytes += header.value?.length ?? 0
        held.mostBytes = Math.max(held.mostBytes, held.bytes)
      },
      waitForSpace: async () => void (held.bytes = 0),
      partitionCount: () => 1,
    },
    effects: undefined,
    now: () => 0,
    limits,
  })
  const feed = (count: number, bytes: number) => {
    const value = Buffer.from(JSON.stringify({ text: "x".repeat(bytes) }))
    let offset = -1
    const cursor = {
      next: () => ++offset < count,
      get offset() {
        return offset
      },
      timestamp: 1,
      key: () => Buffer.from(`k${offset}`),
      value: () => value,
      headers: () => headers,
    }
    task.queue("in", 0)!.add(() => cursor, count, count)
    task.process(count)
  }
  return { task, feed, held }
}

test("E10 S9: few entries of many bytes make a transaction heavy, many of few bytes do not", () => {
  const small = newTask({ openBytesMax: 1_000_000 })
  small.feed(500, 100)
  expect(small.task.isHeavy).toBe(false)
  const large = newTask({ openBytesMax: 1_000_000 })
  large.feed(20, 100_000)
  expect(large.task.isHeavy).toBe(true)
})

const large = [{ key: "h", value: Buffer.alloc(100_000) }]

test.each<readonly [string, number, S.Headers]>([
  ["", 100_000, []],
  [" by its headers", 0, large],
])("a changelog larger than the producer holds%s is written in parts", async (_, bytes, headers) => {
  const { task, feed, held } = newTask({}, headers)
  feed(200, bytes)
  await task.drain()
  await task.stage("t-1")
  expect(held.records).toBe(200)
  expect(held.mostBytes).toBeLessThan(5_000_000)
})
