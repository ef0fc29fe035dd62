/**
 * Where records go that come too late for windows or a join of streams.
 *
 * By its definition the topic gets the record as it stood at the operator, written by the topic's serdes. By its name it gets
 * the key and value bytes that the task read, where these are a topic's of the user's; topology/late-topics.ts refuses a name
 * where they are bytes that only we can read.
 */
import { PipelineError } from "../errors.ts"
import type { LogicalNode } from "../topology/node.ts"
import { assertName, type Topic } from "./topic.ts"

export type LateTo<K = any, V = any> = string | Topic<K, V>

export function lateTarget(what: string, lateTo: LateTo | undefined): LateTo | null {
  if (lateTo === undefined) return null
  if (typeof lateTo !== "string" && typeof lateTo?.value?.encode !== "function")
    throw new PipelineError(`${what}: lateTo is a topic's name or its definition`)
  assertName("topic", nameOf(lateTo))
  return lateTo
}

const nameOf = (lateTo: LateTo): string => (typeof lateTo === "string" ? lateTo : lateTo.name)

/** What a node says of it: the name where it can be written down, the definition among the functions. */
export function lateParts(lateTo: LateTo | null): {
  readonly options: { readonly lateTo: string | null }
  readonly functions: LogicalNode["functions"]
} {
  const options = { lateTo: lateTo === null ? null : nameOf(lateTo) }
  return { options, functions: lateTo === null || typeof lateTo === "string" ? {} : { lateTopic: () => lateTo } }
}

export const lateTopicOf = ({ options }: LogicalNode): string | undefined =>
  (options["lateTo"] as string | null | undefined) ?? undefined

/** undefined where it was given by its name. */
export const lateDefinitionOf = ({ functions }: LogicalNode): Topic<any, any> | undefined =>
  functions["lateTopic"]?.() as Topic<any, any> | undefined
