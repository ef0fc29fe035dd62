/** What groups know of topics, from the metadata image. */
import type { Controller } from "./controller/controller.ts"
import type { MetadataImage, TopicImage } from "./controller/image.ts"
import type { MetadataRecord } from "./controller/records.ts"
import type { GroupTopic, GroupTopics } from "./group/consumer/topics.ts"

/** What changes the topics, or who may see which. */
const TOPIC_RECORDS: ReadonlySet<MetadataRecord["type"]> = new Set([
  "TopicRecord",
  "PartitionRecord",
  "RemoveTopicRecord",
  "AccessControlEntryRecord",
  "RemoveAccessControlEntryRecord",
])

export class ImageTopics implements GroupTopics {
  readonly #image: MetadataImage
  #version: number

  constructor(image: MetadataImage, controller: Pick<Controller, "onRecords">) {
    this.#image = image
    this.#version = image.offset
    controller.onRecords((records) => {
      if (records.some(({ type }) => TOPIC_RECORDS.has(type))) this.#version = image.offset
    })
  }

  get version(): number {
    return this.#version
  }

  byName(name: string): GroupTopic | undefined {
    return groupTopic(this.#image.topic(name))
  }

  byId(topicId: string): GroupTopic | undefined {
    return groupTopic(this.#image.topicById(topicId))
  }

  *names(): Iterable<string> {
    for (const { name } of this.#image.topics()) yield name
  }
}

const groupTopic = (topic: TopicImage | undefined): GroupTopic | undefined =>
  topic && { name: topic.name, topicId: topic.topicId, partitionCount: topic.partitions.length }
