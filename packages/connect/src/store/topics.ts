/**
 * The topics that connectors write to and read from: created when they are missing.
 */
import type { Admin } from "@millrace/client"

export interface TopicShape {
  /** -1 for the broker's default, as for the replication factor. */
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs?: Readonly<Record<string, string>>
}

export class Topics {
  readonly #admin: Admin
  readonly #known = new Set<string>()
  constructor(admin: Admin) {
    this.#admin = admin
  }

  /** Creates the topic unless it exists. */
  async ensure(name: string, shape: TopicShape): Promise<void> {
    if (this.#known.has(name)) return
    await this.#admin.createTopics([{ name, ...shape }], { ifNotExists: true })
    this.#known.add(name)
  }

  /** Those of the names that exist. */
  async existing(names: readonly string[]): Promise<string[]> {
    const described = await this.#admin.describeTopics(names)
    return described.map((topic) => topic.name)
  }

  /** The ids of topics by name; none for brokers that have no ids. */
  async ids(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const described = await this.#admin.describeTopics(names)
    return new Map(described.flatMap(({ name, topicId }) => (topicId === undefined ? [] : [[name, topicId] as const])))
  }

  /** The names of topics, internal ones left out, that a pattern matches whole. */
  async matching(pattern: RegExp): Promise<string[]> {
    const topics = await this.#admin.listTopics()
    return topics.filter((topic) => pattern.test(topic))
  }
}
