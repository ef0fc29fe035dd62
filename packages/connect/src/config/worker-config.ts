/**
 * The settings of a worker, under Kafka Connect's names.
 *
 * Defaults differ from Kafka's where one process is the common case: replication is the broker's default (-1) instead of
 * three, exactly-once sources are on, and offsets are flushed more often.
 */
import { define, int, long, oneOf, string } from "@millrace/config"

export const workerConfig = define({
  "group.id": string({
    default: "connect-cluster",
    doc: "Names this Connect installation; part of the transactional ids of its source tasks.",
    importance: "HIGH",
  }),
  "key.converter": string({
    default: "JsonConverter",
    doc: "Converter of record keys for connectors that do not name one; key.converter.* are its settings.",
    importance: "HIGH",
  }),
  "value.converter": string({
    default: "JsonConverter",
    doc: "Converter of record values for connectors that do not name one; value.converter.* are its settings.",
    importance: "HIGH",
  }),
  "schema.registry.url": string({
    default: null,
    doc: "The schema registry that converters use when they do not name one.",
  }),
  "offset.storage.topic": string({
    default: "connect-offsets",
    doc: "The compacted topic that keeps source offsets.",
    importance: "HIGH",
  }),
  "offset.storage.partitions": int({ default: 5, min: 1, doc: "Partitions of the offsets topic when it is created." }),
  "offset.storage.replication.factor": int({
    default: -1,
    min: -1,
    doc: "Replication of the offsets topic when it is created; -1 for the broker's default.",
  }),
  "config.storage.topic": string({
    default: "connect-configs",
    doc: "The compacted topic that keeps connectors' configurations, where the worker is told to keep them in Kafka.",
    importance: "HIGH",
  }),
  "config.storage.replication.factor": int({
    default: -1,
    min: -1,
    doc: "Replication of the config topic when it is created; -1 for the broker's default.",
  }),
  "exactly.once.source.support": oneOf(["disabled", "preparing", "enabled"], {
    default: "enabled",
    doc: "Whether source tasks write records and their offsets in one transaction.",
    importance: "HIGH",
  }),
  "offset.flush.interval.ms": long({
    default: 1_000,
    min: 1,
    doc: "How often sinks commit offsets, and sources that are not exactly-once.",
  }),
  "task.shutdown.graceful.timeout.ms": long({
    default: 5_000,
    min: 0,
    doc: "How long a task may take to stop before it is given up.",
  }),
  "rest.request.timeout.ms": long({ default: 90_000, min: 1, doc: "How long a REST request may take." }),
})
