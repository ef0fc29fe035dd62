/**
 * The topics that connectors write to and read from: created when they are missing.
 */
import type { KafkaClient } from "@millrace/client"
import { ErrorCode, type KafkaError } from "@millrace/protocol"

type Admin = ReturnType<KafkaClient["admin"]>

export interface TopicShape {
  readonly numPartitions: number
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
    try {
      await this.#admin.createTopics([{ name, ...shape }])
    } catch (error) {
      if ((error as KafkaError).code !== ErrorCode.TOPIC_ALREADY_EXISTS) throw error
    }
    this.#known.add(name)
  }

  /** The names of topics, internal ones left out, that a pattern matches whole. */
  async matching(pattern: RegExp): Promise<string[]> {
    const topics = await this.#admin.listTopics()
    return topics.filter((topic) => !topic.isInternal && pattern.test(topic.name)).map((topic) => topic.name)
  }
}
