/**
 * The cluster as a group's leader sees it who assigns: fresh metadata of all the topics that any member subscribed to. Its counts
 * are kept behind the assignment, so that the leader notices when they change.
 */
import type { Cluster } from "../cluster.ts"
import type { AssignorCluster } from "./assignor.ts"

export class LeaderView implements AssignorCluster {
  readonly #cluster: Cluster
  readonly #topics = new Set<string>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  partitionCount(topic: string): number | undefined {
    const known = this.#cluster.metadata.topic(topic)
    return known && known.partitions.length > 0 ? known.partitions.length : undefined
  }

  partitions(topic: string) {
    return this.#cluster.metadata.topic(topic)?.partitions ?? []
  }

  rack(nodeId: number): string | null {
    return this.#cluster.metadata.node(nodeId)?.rack ?? null
  }

  async load(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.#topics.add(topic)
    this.#cluster.track(topics)
    await this.#cluster.refresh()
  }

  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#topics].map((topic) => [topic, this.partitionCount(topic) ?? 0]))
  }
}
