/** What ends a run whose input has more partitions than it had at the start. */
import type { Topology } from "../topology/topology.ts"

export function grownTopicMessage(topology: Topology, topic: string, before: number, now: number): string {
  const internal = topology.repartitions.length > 0 || topology.subtopologies.some(({ stores }) => stores.length > 0)
  return (
    `topic "${topic}" has grown from ${before} to ${now} partitions since the pipeline was started: ` +
    (internal
      ? `its state and its repartition topics are laid out for ${before}; begin under a new applicationId`
      : "start the pipeline again to read them all")
  )
}
