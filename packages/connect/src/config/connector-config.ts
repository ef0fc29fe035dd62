/**
 * The settings that every connector has, under Kafka Connect's names, and those of every source and every sink.
 *
 * `restart.*` is ours: Kafka Connect leaves failed tasks FAILED. So are dead letters of sources, which it has for sinks only.
 */
import { boolean, define, int, list, long, oneOf, short, string } from "@millrace/config"
import type { RestartPolicy } from "../runtime/restart-policy.ts"

export const commonConfig = define({
  name: string({ doc: "The connector's name, unique in the installation.", importance: "HIGH" }),
  "connector.class": string({ doc: "Class name or alias of the connector.", importance: "HIGH" }),
  "tasks.max": int({ default: 1, min: 1, doc: "The most tasks the work may be split into.", importance: "HIGH" }),
  "tasks.max.enforce": boolean({
    default: true,
    doc: "Fail a connector that splits its work into more tasks than tasks.max.",
    importance: "LOW",
  }),
  "key.converter": string({
    default: null,
    doc: "Converter of record keys instead of the worker's; key.converter.* are its settings.",
    importance: "LOW",
  }),
  "value.converter": string({
    default: null,
    doc: "Converter of record values instead of the worker's; value.converter.* are its settings.",
    importance: "LOW",
  }),
  "errors.tolerance": oneOf(["none", "all"], {
    default: "none",
    doc: "What a record that cannot be converted does: none fails the task, all skips the record.",
  }),
  "errors.retry.timeout": long({
    default: 0,
    min: -1,
    doc: "How long, in ms, a failed operation on one record is repeated; 0 for not at all, -1 for ever.",
  }),
  "errors.retry.delay.max.ms": long({ default: 60_000, min: 1, doc: "The longest delay between repetitions." }),
  "errors.log.enable": boolean({ default: false, doc: "Log every error that is tolerated." }),
  "errors.log.include.messages": boolean({ default: false, doc: "Put topic, partition and offset into such lines." }),
  "errors.deadletterqueue.topic.name": string({
    default: "",
    doc: "The topic for records that errors.tolerance=all skips; empty for none.",
  }),
  "errors.deadletterqueue.topic.replication.factor": short({
    default: -1,
    min: -1,
    doc: "Replication of that topic when it is created; -1 for the broker's default.",
  }),
  "errors.deadletterqueue.context.headers.enable": boolean({
    default: false,
    doc: "Add headers that say where a dead letter came from and why it died.",
  }),
  "restart.policy": oneOf(["on-failure", "never"], {
    default: "on-failure",
    doc: "Whether a failed connector or task starts again by itself.",
  }),
  "restart.backoff.ms": long({ default: 1_000, min: 1, doc: "Delay before the first restart; doubled with each." }),
  "restart.backoff.max.ms": long({ default: 60_000, min: 1, doc: "The longest delay before a restart." }),
  "restart.attempts.max": int({
    default: -1,
    min: -1,
    doc: "Failures in a row after which a unit stays FAILED; -1 for no limit.",
  }),
  "restart.reset.ms": long({
    default: 60_000,
    min: 0,
    doc: "A unit that ran this long has recovered: its next failure counts as the first.",
  }),
})

export const sourceConfig = define({
  "exactly.once.support": oneOf(["requested", "required"], {
    default: "requested",
    doc: "required refuses to run the connector when it cannot be exactly-once.",
  }),
  "transaction.boundary": oneOf(["poll", "interval"], {
    default: "poll",
    doc: "What one transaction holds: one poll's records, or those of an interval.",
  }),
  "transaction.boundary.interval.ms": long({
    default: null,
    min: 1,
    doc: "The interval of interval transactions; the worker's offset.flush.interval.ms when it is not set.",
    importance: "LOW",
  }),
  "topic.creation.default.partitions": int({
    default: -1,
    min: -1,
    doc: "Partitions of topics that the connector writes to and that do not exist; -1 for the broker's default.",
  }),
  "topic.creation.default.replication.factor": short({
    default: -1,
    min: -1,
    doc: "Replication of such topics; -1 for the broker's default.",
  }),
})

export const sinkConfig = define({
  topics: list({ default: [], doc: "The topics to read.", importance: "HIGH" }),
  "topics.regex": string({
    default: null,
    doc: "A pattern of the names of topics to read, instead of topics.",
    importance: "HIGH",
    check: (pattern) => (isPattern(pattern) ? undefined : "is not a regular expression"),
  }),
  "consumer.override.group.id": string({
    default: null,
    doc: "The consumer group, instead of connect-NAME.",
  }),
  "consumer.override.isolation.level": oneOf(["read_committed", "read_uncommitted"], {
    default: "read_committed",
    doc: "Whether records of open and aborted transactions are read.",
  }),
  "consumer.override.auto.offset.reset": oneOf(["earliest", "latest", "none"], {
    default: "earliest",
    doc: "Where to start in a partition without a committed offset.",
  }),
})

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

interface RestartSettings {
  readonly "restart.policy": "on-failure" | "never"
  readonly "restart.backoff.ms": number
  readonly "restart.backoff.max.ms": number
  readonly "restart.attempts.max": number
  readonly "restart.reset.ms": number
}

export const restartPolicy = (settings: RestartSettings): RestartPolicy => ({
  onFailure: settings["restart.policy"] === "on-failure",
  backoffMs: settings["restart.backoff.ms"],
  backoffMsMax: settings["restart.backoff.max.ms"],
  attemptsMax: settings["restart.attempts.max"],
  resetMs: settings["restart.reset.ms"],
})
