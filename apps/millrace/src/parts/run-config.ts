/**
 * The settings of `millrace run`, under Kafka Streams' names.
 */
import { define, int, oneOf, string, type Values } from "@millrace/config"

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
  "auto.offset.reset": oneOf(["earliest", "latest"], {
    default: "earliest",
    doc: "Where partitions without a committed offset begin.",
  }),
  "idle.after.ms": int({
    default: 0,
    min: 0,
    doc: "A partition of a source topic without a record for so long holds event time back no more; 0 never.",
  }),
  "num.stream.threads": int({
    default: null,
    min: 1,
    doc: "Worker threads that run each pipeline; in the one thread there is when not set. The same as --workers.",
  }),
  "schema.registry.url": string({ default: null, doc: "The schema registry of Avro and JSON Schema serdes." }),
})

export type RunConfig = Values<typeof runConfig>
