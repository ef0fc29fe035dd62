/**
 * Topics that the broker makes itself: the coordinators' own, at their first use, and those that clients ask about and
 * may have created for them.
 */
import { type BrokerConfig } from "./config/broker.ts"
import { ErrorCode } from "@millrace/protocol"
import type { Controller } from "./controller/controller.ts"
import type { MetadataImage } from "./controller/image.ts"
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from "./controller/topic-names.ts"
import { createTopics } from "./controller/topics.ts"

export interface InternalTopicsOptions {
  readonly controller: Controller
  readonly image: MetadataImage
  readonly config: () => BrokerConfig
  readonly newUuid: () => string
}

interface TopicSpec {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

const BROKER_DEFAULT = -1

export class InternalTopics {
  readonly #options: InternalTopicsOptions

  constructor(options: InternalTopicsOptions) {
    this.#options = options
  }

  /** Makes the coordinator's topic if it is not there yet. */
  ensure(name: string): void {
    if (!this.#options.image.topic(name)) this.createOnDemand(name, () => {})
  }

  /** Creates a topic that a client asked about, at the charge of its quota; NONE, or why it could not be. */
  createOnDemand(name: string, charge: (partitions: number) => void): ErrorCode {
    const { controller, image, newUuid } = this.#options
    const config = this.#options.config()
    const { numPartitions, replicationFactor, configs } = this.#specOf(name, config)
    const topic = {
      name,
      numPartitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }
    const defaults = {
      numPartitions: config["num.partitions"],
      replicationFactor: config["default.replication.factor"],
      partitionsMax: config["metadata.max.partitions"],
    }
    const decision = createTopics(image, { topics: [topic], validateOnly: false }, defaults, newUuid, charge)
    return controller.commit(decision)[0]!.errorCode as ErrorCode
  }

  #specOf(name: string, config: BrokerConfig): TopicSpec {
    // A cluster smaller than the wanted replication must still be able to coordinate.
    const capped = (wanted: number) => Math.min(wanted, Math.max(1, this.#options.image.liveBrokers().length))
    if (name === CONSUMER_OFFSETS_TOPIC) {
      return {
        numPartitions: config["offsets.topic.num.partitions"],
        replicationFactor: capped(config["offsets.topic.replication.factor"]),
        configs: {
          "cleanup.policy": "compact",
          "compression.type": "producer",
          "segment.bytes": String(config["offsets.topic.segment.bytes"]),
        },
      }
    }
    if (name === TRANSACTION_STATE_TOPIC) {
      return {
        numPartitions: config["transaction.state.log.num.partitions"],
        replicationFactor: capped(config["transaction.state.log.replication.factor"]),
        configs: {
          "cleanup.policy": "compact",
          "compression.type": "uncompressed",
          "min.insync.replicas": String(capped(config["transaction.state.log.min.isr"])),
          "segment.bytes": String(config["transaction.state.log.segment.bytes"]),
          "unclean.leader.election.enable": "false",
        },
      }
    }
    return { numPartitions: BROKER_DEFAULT, replicationFactor: BROKER_DEFAULT, configs: {} }
  }
}
