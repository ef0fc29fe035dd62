/** OffsetFetch before v8 asks for one group at the top level; inside the coordinator it has the later shape. */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { OffsetFetchRequest, OffsetFetchResponse } from "@millrace/protocol/messages/offset-fetch"
import type { FetchedGroup, FetchedGroupRequest } from "./requests.ts"

/** A group-level error has its own field from this version on; before, each partition carries it. */
const groupErrorFrom = 2

export function singleGroupRequest({ groupId, topics }: OffsetFetchRequest): FetchedGroupRequest {
  return {
    groupId,
    memberId: null,
    memberEpoch: -1,
    topics: topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null,
  }
}

export function singleGroupAnswer(
  apiVersion: number,
  request: OffsetFetchRequest,
  group: FetchedGroup,
): OffsetFetchResponse {
  const errorInPartitions = group.errorCode !== ErrorCode.NONE && apiVersion < groupErrorFrom
  const topics = errorInPartitions
    ? (request.topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          committedOffset: -1,
          committedLeaderEpoch: -1,
          metadata: "",
          errorCode: group.errorCode,
        })),
      }))
    : group.topics.map(({ name, partitions }) => ({ name, partitions }))
  return { throttleTimeMs: 0, topics, errorCode: group.errorCode, groups: [] }
}
