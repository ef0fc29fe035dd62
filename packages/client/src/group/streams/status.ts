/** Which statuses of a streams group keep its members from working, and when they have changed. */
import { type StreamsGroupStatus, StreamsStatus } from "@millrace/protocol/streams-status"

const HINDERING: ReadonlySet<number> = new Set([
  StreamsStatus.MISSING_SOURCE_TOPICS,
  StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS,
  StreamsStatus.MISSING_INTERNAL_TOPICS,
  StreamsStatus.ASSIGNMENT_DELAYED,
])

/** No tasks are handed out while this holds. */
export const isHindering = ({ statusCode }: StreamsGroupStatus): boolean => HINDERING.has(statusCode)

export const sameStatuses = (left: readonly StreamsGroupStatus[], right: readonly StreamsGroupStatus[]): boolean =>
  left.length === right.length &&
  left.every(
    ({ statusCode, statusDetail }, at) =>
      statusCode === right[at]!.statusCode && statusDetail === right[at]!.statusDetail,
  )
