/**
 * Names of what a pipeline creates in the cluster. They derive from names that the user gave, never from positions in
 * the graph, so that adding an operator renames nothing.
 */
import { PipelineError } from "../errors.ts"
import { assertName } from "../dsl/topic.ts"

const TOPIC_NAME_LENGTH_MAX = 249

export const changelogTopic = (applicationId: string, store: string): string =>
  internalTopic(applicationId, store, "changelog")

export const repartitionTopic = (applicationId: string, operator: string): string =>
  internalTopic(applicationId, operator, "repartition")

function internalTopic(applicationId: string, name: string, suffix: string): string {
  const topic = `${applicationId}-${name}-${suffix}`
  assertName("application", applicationId)
  if (topic.length > TOPIC_NAME_LENGTH_MAX) {
    throw new PipelineError(
      `topic "${topic}" has ${topic.length} characters, Kafka takes ${TOPIC_NAME_LENGTH_MAX}: shorten "${name}"`,
    )
  }
  return topic
}

/** A task is one partition of one sub-topology; Kafka Streams prints it so. */
export interface TaskId {
  readonly subtopology: number
  readonly partition: number
}

export const formatTaskId = (id: TaskId): string => `${id.subtopology}_${id.partition}`

export function parseTaskId(name: string): TaskId {
  const [subtopology, partition] = name.split("_").map(Number)
  return { subtopology: subtopology!, partition: partition! }
}

export const compareTaskIds = (left: TaskId, right: TaskId): number =>
  left.subtopology - right.subtopology || left.partition - right.partition
