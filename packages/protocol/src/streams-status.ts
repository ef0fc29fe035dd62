/** What heartbeats tell a member of a streams group beside its tasks, by the numbers of StreamsGroupHeartbeat (KIP-1071). */
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
