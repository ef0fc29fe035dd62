/**
 * The metadata image: what the records of `__cluster_metadata` say when read in order.
 *
 * `replay` is the only way it changes, on the controller that wrote a record, on a broker that follows, and after a
 * restart alike. Commands read it and answer with records. Topics are found by name and by id; a deleted and recreated
 * topic has another id, and what still names the old one finds nothing (KIP-516).
 */
import { invariant } from "@millrace/host"
import type { RegisterBrokerRecord } from "@millrace/protocol/records/broker-registration"
import type { DelegationTokenRecord } from "@millrace/protocol/records/delegation-token"
import type { PartitionChangeRecord } from "@millrace/protocol/records/partition"
import type { UserScramCredentialRecord } from "@millrace/protocol/records/scram-credential"
import { SCRAM_MECHANISMS, type ScramCredential, type ScramMechanism } from "@millrace/protocol/sasl/scram"
import { ClientQuotas } from "../quota/client-quotas.ts"
import { Acls } from "../security/acl.ts"
import type { MetadataRecord } from "./records.ts"

export interface PartitionImage {
  readonly index: number
  replicas: number[]
  /** The directory of each replica, in the order of `replicas` (KIP-858). */
  directories: string[]
  isr: number[]
  /** -1 while no replica can lead. */
  leader: number
  /** Grows with every change of the leader; the number batches are stamped with. */
  leaderEpoch: number
  /** Grows with every change of any of the above. */
  partitionEpoch: number
}

export interface TopicImage {
  readonly name: string
  readonly topicId: string
  /** By partition index, without gaps. */
  readonly partitions: PartitionImage[]
}

export interface BrokerEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface BrokerImage {
  readonly id: number
  /** The offset of its registration: a restarted broker has a larger one. */
  readonly epoch: number
  readonly incarnationId: string
  readonly endpoints: readonly BrokerEndpoint[]
  readonly rack: string | null
  fenced: boolean
  /** All of its registration, for snapshots. */
  readonly registration: Readonly<RegisterBrokerRecord>
}

/** Kafka's numbers for what a config belongs to. */
export const ConfigResourceType = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

type Settings = Readonly<Record<string, string>>
const none: Settings = {}

export class MetadataImage {
  readonly #topicsByName = new Map<string, TopicImage>()
  readonly #topicsById = new Map<string, TopicImage>()
  readonly #brokers = new Map<number, BrokerImage>()
  readonly #configs = new Map<string, Settings>()
  readonly #features = new Map<string, number>()
  /** By user, then by the mechanism's number. */
  readonly #scram = new Map<string, Map<number, UserScramCredentialRecord>>()
  readonly #tokens = new Map<string, DelegationTokenRecord>()
  readonly acls = new Acls()
  readonly quotas = new ClientQuotas()
  #nextProducerId = 0
  #partitionCount = 0
  /** Offset and epoch of the last record replayed; -1 before the first. */
  offset = -1
  epoch = 0

  topic(name: string): TopicImage | undefined {
    return this.#topicsByName.get(name)
  }
  topicById(topicId: string): TopicImage | undefined {
    return this.#topicsById.get(topicId)
  }
  /** In the order of creation. */
  topics(): Iterable<TopicImage> {
    return this.#topicsByName.values()
  }
  partition(topic: string, index: number): PartitionImage | undefined {
    return this.#topicsByName.get(topic)?.partitions[index]
  }
  get partitionCount(): number {
    return this.#partitionCount
  }
  broker(id: number): BrokerImage | undefined {
    return this.#brokers.get(id)
  }
  brokers(): Iterable<BrokerImage> {
    return this.#brokers.values()
  }
  /** Brokers that may get replicas and clients, by id. */
  liveBrokers(): BrokerImage[] {
    return [...this.#brokers.values()].filter((broker) => !broker.fenced).sort((left, right) => left.id - right.id)
  }
  /** What is set on a resource itself. The same object until it changes. */
  configs(resourceType: number, resourceName: string): Settings {
    return this.#configs.get(configKey(resourceType, resourceName)) ?? none
  }
  configuredResources(resourceType: number): string[] {
    const prefix = `${resourceType}:`
    return [...this.#configs.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
  }
  features(): ReadonlyMap<string, number> {
    return this.#features
  }
  scramUsers(): Iterable<string> {
    return this.#scram.keys()
  }
  scramCredentials(user: string): UserScramCredentialRecord[] {
    return [...(this.#scram.get(user)?.values() ?? [])]
  }
  scramCredential(user: string, mechanism: ScramMechanism): ScramCredential | undefined {
    return this.#scram.get(user)?.get(SCRAM_MECHANISMS[mechanism].number)
  }
  delegationToken(tokenId: string): DelegationTokenRecord | undefined {
    return this.#tokens.get(tokenId)
  }
  /** Another object once it is renewed. */
  delegationTokens(): Iterable<DelegationTokenRecord> {
    return this.#tokens.values()
  }
  /** The first producer id that no block handed out so far covers. */
  get nextProducerId(): number {
    return this.#nextProducerId
  }

  replay(record: MetadataRecord, offset: number): void {
    switch (record.type) {
      case "TopicRecord": {
        const { name, topicId } = record.data
        const topic: TopicImage = { name, topicId, partitions: [] }
        this.#topicsByName.set(name, topic)
        this.#topicsById.set(topicId, topic)
        break
      }
      case "PartitionRecord": {
        const { topicId, partitionId, replicas, directories, isr, leader, leaderEpoch, partitionEpoch } = record.data
        const { partitions } = this.#existing(topicId)
        if (partitions[partitionId] === undefined) this.#partitionCount++
        partitions[partitionId] = {
          index: partitionId,
          replicas,
          directories,
          isr,
          leader,
          leaderEpoch,
          partitionEpoch,
        }
        break
      }
      case "PartitionChangeRecord":
        this.#changePartition(record.data)
        break
      case "RemoveTopicRecord": {
        const topic = this.#existing(record.data.topicId)
        this.#partitionCount -= topic.partitions.length
        this.#topicsById.delete(topic.topicId)
        if (this.#topicsByName.get(topic.name) === topic) this.#topicsByName.delete(topic.name)
        this.#configs.delete(configKey(ConfigResourceType.TOPIC, topic.name))
        break
      }
      case "ConfigRecord": {
        const { resourceType, resourceName, name, value } = record.data
        const key = configKey(resourceType, resourceName)
        const { [name]: _, ...others } = this.#configs.get(key) ?? none
        const settings = value === null ? others : { ...others, [name]: value }
        if (Object.keys(settings).length === 0) this.#configs.delete(key)
        else this.#configs.set(key, settings)
        break
      }
      case "RegisterBrokerRecord": {
        const { brokerId, incarnationId, endPoints, rack, fenced } = record.data
        const endpoints = endPoints.map(({ name, host, port }) => ({ name, host, port }))
        const epoch = record.data.brokerEpoch
        const registration = record.data
        this.#brokers.set(brokerId, { id: brokerId, epoch, incarnationId, endpoints, rack, fenced, registration })
        break
      }
      case "UnregisterBrokerRecord":
        this.#brokers.delete(record.data.brokerId)
        break
      case "BrokerRegistrationChangeRecord": {
        const broker = this.#brokers.get(record.data.brokerId)
        // 1 fences, -1 unfences, 0 leaves it.
        if (broker && record.data.fenced !== 0) broker.fenced = record.data.fenced === 1
        break
      }
      case "FeatureLevelRecord": {
        const { name, featureLevel } = record.data
        if (featureLevel === 0) this.#features.delete(name)
        else this.#features.set(name, featureLevel)
        break
      }
      case "ProducerIdsRecord":
        this.#nextProducerId = record.data.nextProducerId
        break
      case "UserScramCredentialRecord": {
        const { name, mechanism } = record.data
        const credentials = this.#scram.get(name) ?? new Map<number, UserScramCredentialRecord>()
        this.#scram.set(name, credentials.set(mechanism, record.data))
        break
      }
      case "RemoveUserScramCredentialRecord": {
        const { name, mechanism } = record.data
        const credentials = this.#scram.get(name)
        credentials?.delete(mechanism)
        if (credentials?.size === 0) this.#scram.delete(name)
        break
      }
      case "DelegationTokenRecord":
        this.#tokens.set(record.data.tokenId, record.data)
        break
      case "RemoveDelegationTokenRecord":
        this.#tokens.delete(record.data.tokenId)
        break
      case "AccessControlEntryRecord":
        this.acls.add(record.data)
        break
      case "RemoveAccessControlEntryRecord":
        this.acls.delete(record.data.id)
        break
      case "ClientQuotaRecord":
        this.quotas.replay(record.data)
        break
      case "NoOpRecord":
      case "BeginTransactionRecord":
      case "EndTransactionRecord":
      case "RegisterControllerRecord":
        break
    }
    this.offset = offset
  }

  #existing(topicId: string): TopicImage {
    const topic = this.#topicsById.get(topicId)
    invariant(topic, `metadata names topic id ${topicId}, which does not exist`)
    return topic
  }

  #changePartition(change: PartitionChangeRecord): void {
    const partition = this.#existing(change.topicId).partitions[change.partitionId]
    invariant(partition, `metadata changes partition ${change.partitionId} of ${change.topicId}, which does not exist`)
    if (change.isr !== null) partition.isr = change.isr
    if (change.replicas !== null) partition.replicas = change.replicas
    if (change.directories !== null) partition.directories = change.directories
    // -2 means unchanged. Naming a leader, even the same one, starts a new epoch.
    if (change.leader !== UNCHANGED_LEADER) {
      partition.leader = change.leader
      partition.leaderEpoch++
    }
    partition.partitionEpoch++
  }
}

export const UNCHANGED_LEADER = -2

const configKey = (resourceType: number, resourceName: string) => `${resourceType}:${resourceName}`
