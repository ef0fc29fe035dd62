/**
 * A topic as a pipeline sees it: its name and how keys and values become bytes. One definition, used by every pipeline
 * that reads or writes it, so that both sides agree on the type.
 */
import type { Serde } from "@millrace/schema"
import { PipelineError } from "../errors.ts"

export interface Topic<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** All topics whose names match, with the same serdes: for `stream`. */
export interface TopicPattern<K, V> {
  readonly pattern: RegExp
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** The pattern must match the whole name. */
export function topicPattern<K, V>(pattern: RegExp, serdes: { key: Serde<K>; value: Serde<V> }): TopicPattern<K, V> {
  if (!(pattern instanceof RegExp)) throw new PipelineError("topicPattern takes a regular expression")
  if (!isSerde(serdes?.key) || !isSerde(serdes?.value)) {
    throw new PipelineError(`topic pattern ${String(pattern)}: key and value must be serdes, such as string`)
  }
  return { pattern: new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, "")), ...serdes }
}

const NAME_LENGTH_MAX = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/

export function topic<K, V>(name: string, serdes: { key: Serde<K>; value: Serde<V> }): Topic<K, V> {
  assertName("topic", name)
  if (!isSerde(serdes?.key)) throw new PipelineError(`topic "${name}": key is not a serde; pass one, such as string`)
  if (!isSerde(serdes?.value))
    throw new PipelineError(`topic "${name}": value is not a serde; pass one, such as json()`)
  return { name, key: serdes.key, value: serdes.value }
}

/** Kafka's rule for topic names, which names of stores and operators follow too since topics are named after them. */
export function assertName(what: string, name: string): void {
  if (typeof name !== "string" || !LEGAL_NAME.test(name) || name === "." || name === "..") {
    throw new PipelineError(`${what} name ${JSON.stringify(name)}: use letters, digits, ".", "_" and "-"`)
  }
  if (name.length > NAME_LENGTH_MAX) {
    throw new PipelineError(`${what} name "${name}" has ${name.length} characters, ${NAME_LENGTH_MAX} are the most`)
  }
}

const isSerde = (serde: unknown): serde is Serde<unknown> =>
  typeof (serde as Serde<unknown> | undefined)?.encode === "function" &&
  typeof (serde as Serde<unknown> | undefined)?.decode === "function"
