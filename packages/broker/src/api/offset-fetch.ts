/**
 * OffsetFetch (key 9), v1-10: the positions a group has committed.
 *
 * v2 null topics means all · v5 leader epochs · v7 requireStable (KIP-447) · v8 many groups (KIP-709) · v10 topic ids. A
 * position that was never committed is offset -1 without an error; so is a group that nobody knows. Errors: see the group
 * coordinator; UNKNOWN_TOPIC_ID, GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { OffsetFetch, type OffsetFetchRequest } from "@millrace/protocol/messages/offset-fetch"
import type { RequestContext } from "../network/context.ts"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater, type Services } from "./handler.ts"
import { idOf, resolveTopics } from "./topic-ids.ts"

type OffsetFetchResponse = Answer<typeof OffsetFetch>
type GroupRequest = OffsetFetchRequest["groups"][number]
type GroupResponse = NonNullable<OffsetFetchResponse["groups"]>[number]

/** Before, only partitions carry errors. */
const VERSION_GROUP_ERROR = 2
const VERSION_MANY_GROUPS = 8
const VERSION_TOPIC_IDS = 10

export const offsetFetch = handler(OffsetFetch, {
  permissions: [
    { operation: "DESCRIBE", resource: "GROUP" },
    { operation: "DESCRIBE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    const answer =
      context.apiVersion >= VERSION_MANY_GROUPS
        ? manyGroups(request, context, services)
        : oneGroup(request, context, services)
    replyLater(services, answer, reply)
  },
})

async function oneGroup(
  request: OffsetFetchRequest,
  context: RequestContext,
  { groups }: Services,
): Promise<OffsetFetchResponse> {
  if (!context.may("DESCRIBE", "GROUP", request.groupId)) {
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED
    if (context.apiVersion >= VERSION_GROUP_ERROR) return { errorCode, topics: [] }
    return { topics: (request.topics ?? []).map((topic) => failed(topic, errorCode)) }
  }
  const allowed = request.topics?.filter(({ name }) => context.may("DESCRIBE", "TOPIC", name)) ?? null
  const response = await groups.offsetFetch(groupContext(context), { ...request, topics: allowed })
  const topics = response.topics.filter(({ name }) => context.maySilently("DESCRIBE", "TOPIC", name))
  const refused = request.topics?.filter(({ name }) => !context.maySilently("DESCRIBE", "TOPIC", name)) ?? []
  return {
    ...response,
    topics: [...topics, ...refused.map((topic) => failed(topic, ErrorCode.TOPIC_AUTHORIZATION_FAILED))],
  }
}

async function manyGroups(
  request: OffsetFetchRequest,
  context: RequestContext,
  services: Services,
): Promise<OffsetFetchResponse> {
  const { image, groups } = services
  const byId = context.apiVersion >= VERSION_TOPIC_IDS
  const refusedTopics = new Map<string, GroupResponse["topics"]>()
  const refusedGroups: GroupResponse[] = []
  const asked: GroupRequest[] = []
  for (const group of request.groups) {
    if (!context.may("DESCRIBE", "GROUP", group.groupId)) {
      refusedGroups.push({ groupId: group.groupId, topics: [], errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
      continue
    }
    if (group.topics === null) {
      asked.push(group)
      continue
    }
    const resolved = resolveTopics(group.topics, byId, image, (name) => context.may("DESCRIBE", "TOPIC", name))
    asked.push({ ...group, topics: resolved.known })
    const refused = resolved.refused.map(({ topic: { name, topicId, partitionIndexes }, errorCode }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((index) => unknown(index, errorCode)),
    }))
    refusedTopics.set(group.groupId, refused)
  }
  const response = await groups.offsetFetch(groupContext(context), { ...request, groups: asked })
  const answered = response.groups.map((group): GroupResponse => {
    const topics = group.topics
      .filter(({ name }) => context.maySilently("DESCRIBE", "TOPIC", name))
      .map((topic) => ({ ...topic, topicId: idOf(image, topic.name) }))
      // Asked for all: a topic that is gone has no id to be named by.
      .filter(({ name }) => !byId || image.topic(name))
    return { ...group, topics: [...topics, ...(refusedTopics.get(group.groupId) ?? [])] }
  })
  return { ...response, groups: [...answered, ...refusedGroups] }
}

const failed = ({ name, partitionIndexes }: { name: string; partitionIndexes: number[] }, errorCode: number) => ({
  name,
  partitions: partitionIndexes.map((index) => unknown(index, errorCode)),
})

const unknown = (partitionIndex: number, errorCode: number) => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: "",
  errorCode,
})
