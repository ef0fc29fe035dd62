/**
 * The registry's settings, by Confluent's names where there is one.
 */
import { boolean, define, int, oneOf, string, type Values } from "@millrace/config"
import { COMPATIBILITY_LEVELS } from "./core/levels.ts"

export const registryConfig = define({
  "schema.compatibility.level": oneOf(COMPATIBILITY_LEVELS, {
    default: "BACKWARD",
    doc: "The compatibility level of subjects for which none is set.",
  }),
  "mode.mutability": boolean({ default: true, doc: "Whether modes may be changed." }),
  "avro.validate.defaults": boolean({
    default: false,
    doc: "Refuse new Avro schemas with defaults that are not of their field's type.",
  }),
  "kafkastore.topic": string({
    default: "_schemas",
    doc: "The compacted topic, of one partition, that holds everything.",
  }),
  "kafkastore.topic.replication.factor": int({
    default: 3,
    min: 1,
    doc: "Replicas of that topic when the registry creates it; no more than there are brokers.",
  }),
  "kafkastore.init.timeout.ms": int({
    default: 60_000,
    min: 1,
    doc: "How long to wait for the topic to be there and read when the registry starts.",
  }),
  "kafkastore.timeout.ms": int({
    default: 10_000,
    min: 1,
    doc: "How long a write may take until it is read back; after that the answer is error 50002.",
  }),
  "schema.bytes.max": int({
    default: 4 * 1024 * 1024,
    min: 1,
    doc: "The largest schema text accepted.",
  }),
})

export type RegistryConfig = Values<typeof registryConfig>
