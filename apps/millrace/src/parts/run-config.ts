/**
 * The settings of `millrace run`, under Kafka Streams' names.
 */
import { boolean, define, int, list, oneOf, string, type Values } from "@millrace/config"
import type { RunOptions } from "@millrace/streams"
import { UsageError } from "../command.ts"

export const runConfig = define({
  "application.id": string({
    default: null,
    doc: "Prefix of internal topics and transactional ids, and the consumer group; the pipeline's name when not set.",
    importance: "HIGH",
  }),
  "processing.guarantee": oneOf(["exactly_once", "exactly_once_v2", "at_least_once"], {
    default: "exactly_once",
    doc: "exactly_once commits outputs, state and input offsets in one transaction; exactly_once_v2 is its name in Kafka.",
    importance: "HIGH",
  }),
  "group.protocol": oneOf(["classic", "streams"], {
    default: "classic",
    doc:
      "Who decides which tasks run where: classic, the processes among themselves, on any cluster; streams, the broker " +
      "(KIP-1071, Kafka 4.2 or later), whose group settings then say how many standbys there are and how long a session is. " +
      "The same as --group-protocol.",
    importance: "HIGH",
  }),
  "commit.interval.ms": int({ default: 100, min: 1, doc: "How long a transaction stays open." }),
  "transaction.timeout.ms": int({
    default: 10_000,
    min: 1_000,
    doc: "After this time the broker aborts a transaction of a process that went silent.",
  }),
  "session.timeout.ms": int({
    default: 45_000,
    min: 6_000,
    doc: "After this time the tasks of a process that went silent move to others.",
  }),
  "leave.group.on.close": boolean({
    default: true,
    doc:
      "Whether SIGTERM leaves the group, so that others take the tasks at once. Otherwise these wait for the process as long as " +
      "a session: for a restart.",
  }),
  "auto.offset.reset": oneOf(["earliest", "latest"], {
    default: "earliest",
    doc: "Where partitions without a committed offset begin.",
  }),
  "idle.after.ms": int({
    default: 0,
    min: 0,
    doc: "A partition of a source topic without a record for so long holds event time back no more; 0 never.",
  }),
  "max.task.idle.ms": int({
    default: 0,
    min: -1,
    doc:
      "How long a task that has records waits for a partition of its own that is read to its end: what comes there may be " +
      "earlier. -1 waits for none, not even for those that are not read to their end.",
  }),
  "num.stream.threads": int({
    default: null,
    min: 1,
    doc: "Worker threads that run each pipeline; in the one thread there is when not set. The same as --workers.",
  }),
  "num.standby.replicas": int({
    default: 0,
    min: 0,
    doc: "Copies of every task's state in other processes, which take over at once.",
  }),
  "acceptable.recovery.lag": int({
    default: 10_000,
    min: 0,
    doc: "A task moves only to a process whose copy lacks no more than so many changelog records; until then it warms up.",
  }),
  "max.warmup.replicas": int({ default: 2, min: 1, doc: "Tasks of the application that warm up at the same time." }),
  "probing.rebalance.interval.ms": int({
    default: 600_000,
    min: 1_000,
    doc: "While tasks warm up, the group is balanced anew this often.",
  }),
  "rack.aware.assignment.tags": list({
    default: [],
    doc: "Names of client tags in which copies of a task should differ.",
  }),
  "client.tags": list({
    default: [],
    doc: "Where this process stands, as name=value: zone=eu-1a. In Kafka Streams each is a setting, client.tag.zone.",
  }),
  "client.rack": string({
    default: null,
    doc: "The rack that this process is on, as brokers say theirs (broker.rack).",
  }),
  "rack.aware.assignment.strategy": oneOf(["none", "min_traffic", "balance_subtopology"], {
    default: "none",
    doc:
      "Whether tasks change places so that less is read across racks: min_traffic as far as can be, balance_subtopology only " +
      "among tasks of one sub-topology. All processes tell their client.rack.",
  }),
  "rack.aware.assignment.traffic_cost": int({
    default: 10,
    min: 0,
    doc: "What a partition costs that a task with state reads across racks.",
  }),
  "rack.aware.assignment.non_overlap_cost": int({ default: 1, min: 0, doc: "What moving a task with state costs." }),
  "state.cleanup.delay.ms": int({
    default: 600_000,
    min: 0,
    doc: "Local state of tasks that have been elsewhere for so long is freed.",
  }),
  "task.timeout.ms": int({
    default: 300_000,
    min: 0,
    doc: "How long one task's transactions may be aborted again and again before the run fails.",
  }),
  "metadata.max.age.ms": int({
    default: 300_000,
    min: 0,
    doc: "How long topics that are new, or grow, may go unnoticed.",
  }),
  "enable.metrics.push": boolean({
    default: true,
    doc: "Figures are pushed to a cluster that asks for them, by a client-metrics subscription (KIP-714).",
  }),
  "metrics.recording.level": oneOf(["INFO", "DEBUG"], {
    default: "INFO",
    doc: "DEBUG counts what each operator receives too, at some cost per record.",
  }),
  "snapshot.interval.ms": int({
    default: 600_000,
    min: 1_000,
    doc: "How often the state of a store that has changed is copied to where --snapshots says.",
  }),
  "schema.registry.url": string({ default: null, doc: "The schema registry of Avro and JSON Schema serdes." }),
})

export type RunConfig = Values<typeof runConfig>

/** What the library's `run` calls them. */
export function runOptionsOf(config: RunConfig) {
  const applicationId = config["application.id"]
  return {
    ...(applicationId === null ? {} : { applicationId }),
    processingGuarantee: config["processing.guarantee"] === "at_least_once" ? "at-least-once" : "exactly-once",
    commitIntervalMs: config["commit.interval.ms"],
    transactionTimeoutMs: config["transaction.timeout.ms"],
    sessionTimeoutMs: config["session.timeout.ms"],
    startAt: config["auto.offset.reset"],
    idleAfterMs: config["idle.after.ms"],
    maxTaskIdleMs: config["max.task.idle.ms"],
    groupProtocol: config["group.protocol"],
    standbyReplicas: config["num.standby.replicas"],
    acceptableRecoveryLag: config["acceptable.recovery.lag"],
    maxWarmupReplicas: config["max.warmup.replicas"],
    probingRebalanceIntervalMs: config["probing.rebalance.interval.ms"],
    rackAwareAssignmentTags: config["rack.aware.assignment.tags"],
    rackAwareAssignmentStrategy: STRATEGIES[config["rack.aware.assignment.strategy"]],
    rackAwareAssignmentTrafficCost: config["rack.aware.assignment.traffic_cost"],
    rackAwareAssignmentNonOverlapCost: config["rack.aware.assignment.non_overlap_cost"],
    ...(config["client.rack"] === null ? {} : { clientRack: config["client.rack"] }),
    clientTags: Object.fromEntries(config["client.tags"].map(tagOf)),
    stateCleanupDelayMs: config["state.cleanup.delay.ms"],
    taskTimeoutMs: config["task.timeout.ms"],
    metadataMaxAgeMs: config["metadata.max.age.ms"],
    enableMetricsPush: config["enable.metrics.push"],
    metricsLevel: config["metrics.recording.level"] === "DEBUG" ? "debug" : "info",
  } satisfies Partial<RunOptions>
}

const STRATEGIES = {
  none: "none",
  min_traffic: "min-traffic",
  balance_subtopology: "balance-subtopology",
} as const

function tagOf(tag: string): readonly [name: string, value: string] {
  const at = tag.indexOf("=")
  if (at <= 0) throw new UsageError(`--set: config client.tags: "${tag}" must be name=value`)
  return [tag.slice(0, at), tag.slice(at + 1)]
}
