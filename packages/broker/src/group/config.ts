import type { GroupConfig } from "../config/group.ts"

/** The settings of group coordination that are the same for all groups, by the names of Kafka's broker configuration. */
export interface GroupCoordinatorConfig {
  readonly "group.initial.rebalance.delay.ms": number
  readonly "group.min.session.timeout.ms": number
  readonly "group.max.session.timeout.ms": number
  readonly "group.max.size": number
  readonly "group.consumer.max.size": number
  readonly "group.consumer.migration.policy": MigrationPolicy
  readonly "group.streams.max.size": number
  readonly "offset.metadata.max.bytes": number
  readonly "offsets.retention.minutes": number
  readonly "offsets.retention.check.interval.ms": number
  readonly "offsets.commit.timeout.ms": number
}

/** Which way groups may change between the classic and the consumer protocol while they have members (KIP-848). */
export const migrationPolicies = ["bidirectional", "upgrade", "downgrade", "disabled"] as const
export type MigrationPolicy = (typeof migrationPolicies)[number]

/** The settings of one group, as they are now: its own, else the broker's. */
export type ConfigOf = (groupId: string) => GroupConfig

/** How long a new member may wait in its first JoinGroup: it has no id yet, so it cannot heartbeat. Kafka's constant. */
export const newMemberJoinTimeoutMs = 300_000
