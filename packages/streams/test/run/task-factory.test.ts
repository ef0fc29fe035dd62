import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { type ClusterReader, partitionName, type TopicPartition } from "../../src/run/ports.ts"
import { makeTask } from "../../src/run/task-factory.ts"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { makeTopology } from "../../src/topology/topology.ts"

test("from the latest record on means the application's inputs, never what it repartitioned for itself", async () => {
  const In = S.topic("in", { key: string, value: string })
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.keyBy((word) => word),
      S.count("words"),
      S.toStream(),
      S.to(S.topic("out", { key: string, value: S.packed })),
    ),
  )
  const topology = makeTopology(pipeline.plan, "app")
  const at = (offset: number) => async (list: readonly TopicPartition[]) =>
    new Map(list.map((one) => [partitionName(one), offset] as const))
  const cluster = {
    committed: async () => new Map(),
    beginningOffsets: at(0),
    endOffsets: at(5),
    topicId: async (topic) => topic,
    read: async (_partition, _from, end) => end,
  } satisfies ClusterReader
  const partitions = new Map(
    [...topology.repartitions.map(({ topic }) => topic), "in", "out"].map((topic) => [topic, 1] as const),
  )
  const starts = await Promise.all(
    topology.subtopologies.map(async ({ id: subtopology }) => {
      const output = { append: () => {}, partitionCount: () => 1 } as never
      const task = await makeTask(
        { subtopology, partition: 0 },
        {
          topology,
          partitions,
          cluster,
          output,
          engines: new MemoryEngines(),
          effects: undefined,
          restore: { deleteRetentionMs: 1e9, now: () => 0 },
          startAt: "latest",
        },
      )
      return task.group.queues.map(({ topic, position }) => [topic === "in", position])
    }),
  )
  expect(starts.flat()).toEqual([
    [true, 5],
    [false, 0],
  ])
})
