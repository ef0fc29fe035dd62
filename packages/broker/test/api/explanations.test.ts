/** What is wrong with a request is told in a text that quotes it, and must fit an answer however long a name is. */
import { ErrorCode } from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { StreamsGroupHeartbeat } from "@millrace/protocol/messages/streams-group-heartbeat"
import { expect, test } from "vitest"
import { start } from "../harness.ts"

/** Almost the longest string there is. */
const LONG = "x".repeat(32_760)

test("a setting with a name as long as can be is unknown, and the explanation is cut", async () => {
  const { client: connect, defects } = await start()
  const client = await connect()
  const topic = { name: "a", numPartitions: 1, replicationFactor: -1, assignments: [] }
  const { topics } = await client.send(CreateTopics, 7, {
    topics: [{ ...topic, configs: [{ name: LONG, value: "1" }] }],
  })
  expect(topics[0]!.errorCode).toBe(ErrorCode.INVALID_CONFIG)
  expect(topics[0]!.errorMessage).toMatch(/^Unknown config name: x+…$/)
  expect(defects).toEqual([])
})

test("a topology's names that are none are told as far as they fit", async () => {
  const { client: connect, defects } = await start()
  const client = await connect()
  const subtopology = {
    subtopologyId: "0",
    sourceTopics: [LONG],
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  }
  const answer = await client.send(StreamsGroupHeartbeat, 0, {
    groupId: "g",
    memberId: "m",
    memberEpoch: 0,
    endpointInformationEpoch: 0,
    rebalanceTimeoutMs: 1_000,
    topology: { epoch: 0, subtopologies: [subtopology] },
    activeTasks: [],
    standbyTasks: [],
    warmupTasks: [],
  })
  expect(answer.errorCode).toBe(ErrorCode.STREAMS_INVALID_TOPOLOGY)
  expect(answer.errorMessage!.length).toBeLessThan(2_000)
  expect(defects).toEqual([])
})
