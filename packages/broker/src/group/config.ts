import type { StreamsGroupConfig } from "./streams/settings.ts"

/** The settings of group coordination, by the names of Kafka's broker configuration. */
export interface GroupCoordinatorConfig extends StreamsGroupConfig {
  readonly "group.initial.rebalance.delay.ms": number
  readonly "group.min.session.timeout.ms": number
  readonly "group.max.session.timeout.ms": number
  readonly "group.max.size": number
  readonly "group.consumer.heartbeat.interval.ms": number
  readonly "group.consumer.session.timeout.ms": number
  readonly "group.consumer.max.size": number
  readonly "offset.metadata.max.bytes": number
  readonly "offsets.retention.minutes": number
  readonly "offsets.retention.check.interval.ms": number
  readonly "offsets.commit.timeout.ms": number
}

/** How long a new member may wait in its first JoinGroup: it has no id yet, so it cannot heartbeat. Kafka's constant. */
export const newMemberJoinTimeoutMs = 300_000
