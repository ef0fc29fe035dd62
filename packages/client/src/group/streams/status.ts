/** What heartbeats tell a member of a streams group beside its tasks. */
export const StreamsStatus = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
  MISSING_CLIENT_TAGS: 6,
} as const

export interface StreamsGroupStatus {
  readonly statusCode: number
  readonly statusDetail: string
}

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
