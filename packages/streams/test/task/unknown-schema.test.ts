/**
 * A schema that is missing in a stored row is found out when part of the record's work is done.
 */
import { type Serde, string, UnknownSchemaId } from "@millrace/schema"
import { expect, test } from "vitest"
import { InterruptedRecord } from "../../src/errors.ts"
import * as S from "../../src/index.ts"
import { makeTask } from "../../src/run/task-factory.ts"
import type { ClusterReader } from "../../src/run/ports.ts"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { makeTopology } from "../../src/topology/topology.ts"
import type { RecordCursor } from "../../src/task/record-queue.ts"

test("the record's transaction is to be aborted before the record goes again", async () => {
  let isKnown = false
  const value: Serde<string> = {
    name: "versioned",
    encode: (text) => string.encode(text),
    decode(bytes) {
      if (!isKnown) throw new UnknownSchemaId(7, async () => void (isKnown = true))
      return string.decode(bytes)
    },
  }
  const In = S.topic("in", { key: string, value: string })
  const pipeline = S.pipeline("app", () => [
    S.stream(In).pipe(S.to(S.topic("copies", { key: string, value: string }))),
    S.stream(In).pipe(
      S.reduce("last", (_, next) => next, { value }),
      S.toStream(),
      S.to(S.topic("out", { key: string, value: string })),
    ),
  ])
  const topology = makeTopology(pipeline.plan, "app")
  const cluster = {
    committed: async () => new Map(),
    beginningOffsets: async () => new Map(),
    endOffsets: async () => new Map([["app-last-changelog-0", 1]]),
    topicId: async (topic) => topic,
    read: async (_partition, _from, end, sink) => {
      sink({ timestamp: 0, key: () => string.encode("k"), value: () => string.encode("old"), headers: () => [] })
      return end
    },
  } satisfies ClusterReader
  const written: string[] = []
  const task = await makeTask(
    { subtopology: 0, partition: 0 },
    {
      topology,
      partitions: new Map([["in", 1]]),
      cluster,
      output: { append: (topic: string) => void written.push(topic), partitionCount: () => 1 } as never,
      engines: new MemoryEngines(),
      effects: undefined,
      restore: { deleteRetentionMs: 1e9, now: () => 0 },
    },
  )
  const open = (): RecordCursor => {
    let at = -1
    return {
      next: () => ++at < 1,
      offset: 0,
      timestamp: 0,
      key: () => string.encode("k"),
      value: () => string.encode("new"),
      headers: () => [],
    }
  }
  task.queue("in", 0)!.add(open, 1, 1)
  const failure = (() => {
    try {
      return task.process(1)
    } catch (cause) {
      return cause
    }
  })()
  expect(failure).toBeInstanceOf(InterruptedRecord)
  expect([written, task.isDirty]).toEqual([["copies"], true])
  task.rollback(() => 0)
  await (failure as InterruptedRecord).resolve()
  task.queue("in", 0)!.add(open, 1, 1)
  expect(task.process(1)).toBe(1)
  expect(written).toEqual(["copies", "copies", "out"])
})
