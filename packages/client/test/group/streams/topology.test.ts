import { expect, test } from "vitest"
import { partitionsOf, type StreamsTopology, wireTopology } from "../../../src/group/streams/topology.ts"

const topology: StreamsTopology = {
  epoch: 3,
  subtopologies: [
    {
      id: "1",
      sourceTopics: ["users", "orders"],
      repartitionSourceTopics: [
        { name: "by-user", partitions: 4, configs: { "retention.ms": "-1", "cleanup.policy": "delete" } },
      ],
      repartitionSinkTopics: ["by-tier", "by-day"],
      changelogTopics: [{ name: "counts", partitions: 0, configs: {} }],
      copartitionGroups: [["by-user", "users"]],
    },
    {
      id: "0",
      sourceTopics: ["clicks"],
      repartitionSourceTopics: [],
      repartitionSinkTopics: ["by-user"],
      changelogTopics: [],
      copartitionGroups: [],
    },
  ],
}

test("a topology is told in the order of its names, and groups by the places of their topics", () => {
  const { epoch, subtopologies } = wireTopology(topology)
  expect([epoch, subtopologies.map(({ subtopologyId }) => subtopologyId)]).toEqual([3, ["0", "1"]])
  expect(subtopologies[1]).toMatchObject({
    sourceTopics: ["orders", "users"],
    repartitionSinkTopics: ["by-day", "by-tier"],
    copartitionGroups: [{ sourceTopics: [1], sourceTopicRegex: [], repartitionSourceTopics: [0] }],
  })
  expect(subtopologies[1]!.repartitionSourceTopics[0]!.topicConfigs.map(({ key }) => key)).toEqual([
    "cleanup.policy",
    "retention.ms",
  ])
})

test("a task reads its partition of each topic that has as many", () => {
  const counts = new Map([
    ["users", 4],
    ["orders", 2],
    ["by-user", 4],
    ["clicks", 1],
  ])
  const task = (subtopologyId: string, partition: number) => ({ subtopologyId, partition })
  const names = partitionsOf(topology, counts, [task("1", 1), task("1", 3), task("0", 0), task("9", 0)])
  expect(names.map(({ topic, partition }) => `${topic}-${partition}`)).toEqual([
    "users-1",
    "orders-1",
    "by-user-1",
    "users-3",
    "by-user-3",
    "clicks-0",
  ])
})
