/** The settings of streams groups, by the names of Kafka's broker configuration. */
export interface StreamsGroupConfig {
  readonly "group.streams.heartbeat.interval.ms": number
  readonly "group.streams.session.timeout.ms": number
  readonly "group.streams.max.size": number
  readonly "group.streams.num.standby.replicas": number
  readonly "group.streams.initial.rebalance.delay.ms": number
  readonly "group.streams.task.offset.interval.ms": number
  readonly "group.streams.acceptable.recovery.lag": number
}
