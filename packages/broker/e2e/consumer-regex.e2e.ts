/** Subscriptions of consumer groups by regular expression (KIP-848, row 94), beside a real Apache Kafka. */
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DeleteTopics } from "@millrace/protocol/messages/delete-topics"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { compare, group, oracle, topic } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle()

const names = ["one", "two", "One"].map((name) => `${topic}-regex-${name}`)

interface Beat {
  readonly memberEpoch: number
  readonly rebalanceTimeoutMs?: number
  readonly subscribedTopicRegex?: string
  readonly subscribedTopicNames?: string[]
}

const beat = (side: Side, groupId: string, fields: Beat) =>
  side.askSilently(ConsumerGroupHeartbeat, 1, {
    ...{ groupId, memberId: "m", subscribedTopicNames: null, topicPartitions: [], ...fields },
  })

const join = (side: Side, groupId: string, subscribedTopicRegex: string) =>
  beat(side, groupId, { memberEpoch: 0, rebalanceTimeoutMs: 60_000, subscribedTopicRegex })

async function create(side: Side, name: string): Promise<void> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await side.askSilently(CreateTopics, 7, { topics, timeoutMs: 5000 })
}

/** Notes which of the topics an expression comes to, once they are as many as are expected. */
async function matched(side: Side, expression: string, expected: number): Promise<void> {
  const groupId = group(`regex-${expression}`)
  await side.coordinator(groupId, 0)
  let { errorCode, memberEpoch, assignment } = await join(side, groupId, expression)
  while (errorCode === 0 && (assignment?.topicPartitions.length ?? -1) !== expected) {
    const answer = await beat(side, groupId, { memberEpoch })
    ;({ errorCode, memberEpoch } = answer)
    assignment = answer.assignment ?? assignment
  }
  const { topics } = await side.askSilently(Metadata, 12, { topics: names.map((name) => ({ name })) })
  const found = assignment?.topicPartitions.map(({ topicId }) => topics.find((one) => one.topicId === topicId)?.name)
  side.note(expression, { errorCode, found: found?.sort() })
  await beat(side, groupId, { memberEpoch: -1 })
}

compare("94: expressions that are refused, and that are not", async (side) => {
  const groupId = group("expressions")
  await side.coordinator(groupId, 0)
  // Not here: "(a{1000}){1000}", which Kafka's library takes and ours refuses, since it would be a million states.
  const expressions = [
    ...["(", ")", "[a", "*a", "a**", "a{2,1}", "a{1001}", "[b-a]", "\\", "\\1", "(a)\\1"],
    ...["a(?=b)", "a(?!b)", "(?<=a)b", "(?>a)", "a++", "\\Zx", "\\y", "(?z)a", "[[:nope:]]", "\\p{Nope}", "(?P<n>a"],
    ...["a.*", "(?i)A", "(?P<n>a)", "\\Qa.b\\E", "a??", "[[:alpha:]]+", "\\p{Greek}+", "\\pL", "\\x41", "a|b|", "^a$"],
  ]
  for (const expression of expressions) {
    const { errorCode } = await join(side, groupId, expression)
    side.note(expression, errorCode)
  }
})

compare("94: what expressions stand for", async (side) => {
  for (const name of names) await create(side, name)
  await matched(side, `${topic}-regex-.*`, 3)
  await matched(side, `${topic}-regex-(one|two)`, 2)
  await matched(side, `(?i)${topic}-REGEX-one`, 2)
  await matched(side, `\\Q${names[0]}\\E`, 1)
  // The whole name, or nothing.
  await matched(side, `${topic}-regex`, 0)
  await side.askSilently(DeleteTopics, 5, { topicNames: names, timeoutMs: 5000 })
})

compare("94: the members of a group with an expression are described with it", async (side) => {
  const groupId = group("regex-described")
  await side.coordinator(groupId, 0)
  await join(side, groupId, `${topic}-none-.*`)
  const { groups } = await side.askSilently(ConsumerGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  const members = groups[0]!.members.map(({ memberId, subscribedTopicNames, subscribedTopicRegex, memberType }) => ({
    ...{ memberId, subscribedTopicNames, subscribedTopicRegex, memberType },
  }))
  side.note("members", members)
  await beat(side, groupId, { memberEpoch: -1 })
})
