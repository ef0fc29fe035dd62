/** Settings of consumer groups and transactions. */
import { boolean, define, int, long, oneOf, short } from "@millrace/config"
import { migrationPolicies } from "../group/config.ts"

const capped = "Never more than there are brokers."

export const coordinatorConfig = define({
  "group.initial.rebalance.delay.ms": int({
    default: 3000,
    min: 0,
    doc: "How long an empty group waits for more members after the first one joined.",
  }),
  "group.min.session.timeout.ms": int({ default: 6000, doc: "Smallest session timeout a member may ask for." }),
  "group.max.session.timeout.ms": int({ default: 1_800_000, doc: "Largest session timeout a member may ask for." }),
  "group.max.size": int({ default: 2_147_483_647, min: 1, doc: "Most members of one group." }),
  "group.consumer.heartbeat.interval.ms": int({
    default: 5000,
    min: 1,
    doc: "How often members of consumer groups report (KIP-848).",
  }),
  "group.consumer.session.timeout.ms": int({
    default: 45_000,
    min: 1,
    doc: "How long a member of a consumer group may be silent (KIP-848).",
  }),
  "group.consumer.min.session.timeout.ms": int({
    default: 45_000,
    min: 1,
    doc: "Smallest consumer.session.timeout.ms that a group may have of its own.",
  }),
  "group.consumer.max.session.timeout.ms": int({
    default: 60_000,
    min: 1,
    doc: "Largest consumer.session.timeout.ms that a group may have of its own.",
  }),
  "group.consumer.min.heartbeat.interval.ms": int({
    default: 5000,
    min: 1,
    doc: "Smallest consumer.heartbeat.interval.ms that a group may have of its own.",
  }),
  "group.consumer.max.heartbeat.interval.ms": int({
    default: 15_000,
    min: 1,
    doc: "Largest consumer.heartbeat.interval.ms that a group may have of its own.",
  }),
  "group.consumer.max.size": int({ default: 2_147_483_647, min: 1, doc: "Most members of one consumer group." }),
  "group.consumer.migration.policy": oneOf(migrationPolicies, {
    default: "bidirectional",
    ignoresCase: true,
    doc: "Whether a group with members becomes a consumer group when a member of that protocol joins (upgrade), and a classic group when the last of them leaves (downgrade).",
  }),
  "group.streams.heartbeat.interval.ms": int({
    default: 5000,
    min: 1,
    doc: "How often members of streams groups report (KIP-1071).",
  }),
  "group.streams.session.timeout.ms": int({
    default: 45_000,
    min: 1,
    doc: "How long a member of a streams group may be silent (KIP-1071).",
  }),
  "group.streams.min.session.timeout.ms": int({
    default: 45_000,
    min: 1,
    doc: "Smallest streams.session.timeout.ms that a group may have of its own.",
  }),
  "group.streams.max.session.timeout.ms": int({
    default: 60_000,
    min: 1,
    doc: "Largest streams.session.timeout.ms that a group may have of its own.",
  }),
  "group.streams.min.heartbeat.interval.ms": int({
    default: 5000,
    min: 1,
    doc: "Smallest streams.heartbeat.interval.ms that a group may have of its own.",
  }),
  "group.streams.max.heartbeat.interval.ms": int({
    default: 15_000,
    min: 1,
    doc: "Largest streams.heartbeat.interval.ms that a group may have of its own.",
  }),
  "group.streams.max.size": int({ default: 2_147_483_647, min: 1, doc: "Most members of one streams group." }),
  "group.streams.num.standby.replicas": int({
    default: 0,
    min: 0,
    doc: "Standbys of each task with stores in a streams group.",
  }),
  "group.streams.max.standby.replicas": int({
    default: 2,
    min: 0,
    doc: "Largest streams.num.standby.replicas that a group may have of its own.",
  }),
  "group.streams.initial.rebalance.delay.ms": int({
    default: 3000,
    min: 0,
    doc: "How long an empty streams group waits for more members after the first one joined.",
  }),
  "group.streams.task.offset.interval.ms": int({
    default: 60_000,
    min: 1,
    doc: "How often members of streams groups report how far their stores have come.",
  }),
  "group.streams.min.task.offset.interval.ms": int({
    default: 15_000,
    min: 1,
    doc: "Smallest streams.task.offset.interval.ms that a group may have of its own.",
  }),
  "group.streams.acceptable.recovery.lag": long({
    default: 10_000,
    min: 0,
    doc: "How far behind its changelog a store may be to count as caught up.",
  }),
  "offset.metadata.max.bytes": int({
    default: 4096,
    importance: "HIGH",
    doc: "Longest text that may go with a committed offset.",
  }),
  "offsets.retention.minutes": int({
    default: 10_080,
    min: 1,
    importance: "HIGH",
    doc: "How long an empty group's offsets are kept.",
  }),
  "offsets.retention.check.interval.ms": long({
    default: 600_000,
    min: 1,
    importance: "HIGH",
    doc: "How often to look for expired offsets.",
  }),
  "offsets.commit.timeout.ms": int({
    default: 5000,
    min: 1,
    importance: "HIGH",
    doc: "Longest wait until a group's records are replicated.",
  }),
  "offsets.topic.num.partitions": int({
    default: 50,
    min: 1,
    importance: "HIGH",
    doc: "Partitions of __consumer_offsets. Fixed once the topic exists.",
  }),
  "offsets.topic.replication.factor": short({
    default: 3,
    min: 1,
    importance: "HIGH",
    doc: `Replicas of __consumer_offsets. ${capped}`,
  }),
  "offsets.topic.segment.bytes": int({
    default: 104_857_600,
    min: 1,
    importance: "HIGH",
    doc: "Segment size of __consumer_offsets.",
  }),
  "transaction.partition.verification.enable": boolean({
    default: true,
    importance: "LOW",
    dynamic: "cluster-wide",
    doc: "Ask the coordinator, before the first append of a transaction, whether the partition is part of it.",
  }),
  "transaction.max.timeout.ms": int({
    default: 900_000,
    min: 1,
    importance: "HIGH",
    doc: "Longest transaction timeout a producer may ask for.",
  }),
  "transactional.id.expiration.ms": int({
    default: 604_800_000,
    min: 1,
    importance: "HIGH",
    doc: "How long a transactional id without transactions is remembered.",
  }),
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": int({
    default: 10_000,
    min: 1,
    importance: "LOW",
    doc: "How often to look for transactions past their timeout.",
  }),
  "transaction.remove.expired.transaction.cleanup.interval.ms": int({
    default: 3_600_000,
    min: 1,
    importance: "LOW",
    doc: "How often to look for expired transactional ids.",
  }),
  "transaction.state.log.num.partitions": int({
    default: 50,
    min: 1,
    importance: "HIGH",
    doc: "Partitions of __transaction_state. Fixed once the topic exists.",
  }),
  "transaction.state.log.replication.factor": short({
    default: 3,
    min: 1,
    importance: "HIGH",
    doc: `Replicas of __transaction_state. ${capped}`,
  }),
  "transaction.state.log.min.isr": int({
    default: 2,
    min: 1,
    importance: "HIGH",
    doc: `In-sync replicas that __transaction_state needs. ${capped}`,
  }),
  "transaction.state.log.segment.bytes": int({
    default: 104_857_600,
    min: 1,
    importance: "HIGH",
    doc: "Segment size of __transaction_state.",
  }),
})
