/**
 * The partitions that live on this broker: made, led and deleted as the metadata says, found by name and index.
 *
 * A partition's log is opened at its first use: a broker with many quiet partitions starts as fast as an empty one. Only
 * after an unclean stop all logs are opened at the start, since recovery may find damage that must be told at once.
 */
import type { Clock, DiskSpace, Timer } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { endTxnMarkerBatch } from "@millrace/protocol/record/control"
import type { LogDirectory } from "@millrace/storage"
import { logConfigOf } from "./config/log-config.ts"
import type { ConfigView } from "./config/view.ts"
import { ConfigResourceType, type MetadataImage, type PartitionImage, type TopicImage } from "./controller/image.ts"
import type { MetadataRecord } from "./controller/records.ts"
import { CLUSTER_METADATA_TOPIC, CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from "./controller/topic-names.ts"
import type { EndTransactionMarker } from "./coordinator/shard.ts"
import type { GroupCoordinator } from "./group/coordinator.ts"
import { faultCode } from "./faults.ts"
import { type Leadership, Partition } from "./partition/partition.ts"
import type { MarkerOutcome, MarkerWriter, TopicPartition, TransactionCoordinator } from "./transaction/coordinator.ts"
import { reasonOf, type ServerLog } from "./server-log.ts"

export interface ReplicaManagerOptions {
  readonly brokerId: number
  readonly clock: Clock
  readonly logDirectory: LogDirectory
  readonly configs: ConfigView
  readonly image: MetadataImage
  readonly log: ServerLog
}

/** Who must hear of internal partitions: told when they are led here, and how far they are committed. */
interface Coordinators {
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
}

export interface ProducerScope {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

export class ReplicaManager implements MarkerWriter {
  readonly #options: ReplicaManagerOptions
  readonly #byTopic = new Map<string, Partition[]>()
  #coordinators: Coordinators | undefined
  /** Topics whose log directories existed when the broker started: the others need not be looked for. */
  readonly #found: ReadonlyMap<string, string>
  /** Of the files of deleted logs: thousands of them at once would keep everybody waiting. */
  readonly #removals: (() => void)[] = []
  #removing: Timer | undefined
  /** Told once, until one succeeds. */
  #checkpointFailed = false

  constructor(options: ReplicaManagerOptions) {
    this.#options = options
    this.#found = new Map(
      options.logDirectory.topicDirs().map(({ topic, partition, topicId }) => [`${topic}-${partition}`, topicId ?? ""]),
    )
  }

  /** Takes up what the metadata gives this broker; opens all logs when the last stop was not clean. */
  load(cleanShutdown: boolean): void {
    const { image, brokerId, logDirectory } = this.#options
    for (const topic of image.topics()) {
      for (const partition of topic.partitions) {
        if (partition.replicas.includes(brokerId)) this.#create(topic, partition)
      }
    }
    logDirectory.keepOffsets(
      (topic, partition) => topic === CLUSTER_METADATA_TOPIC || this.partition(topic, partition) !== undefined,
    )
    for (const partition of this.partitions())
      if (this.#isLost(partition.topic, partition.index)) partition.attempt(() => undefined)
    for (const { topic, partition, topicId } of logDirectory.topicDirs()) {
      const known = this.partition(topic, partition)
      // The metadata log is the controller's.
      if (topic === CLUSTER_METADATA_TOPIC) continue
      // Deleted while this broker was down, or of an older topic of the same name; or a damaged file says so.
      if (!known) this.#putAside(topic, partition, "no such topic is known")
      else if (topicId !== undefined && topicId !== known.topicId) {
        this.#putAside(topic, partition, `it is of topic id ${topicId}, and ${topic} is ${known.topicId}`)
      } else if (!cleanShutdown) void known.log
    }
  }

  /** The disk is asked only where no directory was found. */
  #isLost(topic: string, partition: number): boolean {
    return !this.#found.has(`${topic}-${partition}`) && this.#options.logDirectory.isLost(topic, partition)
  }

  #putAside(topic: string, partition: number, reason: string): void {
    const { logDirectory, log } = this.#options
    const path = logDirectory.putAside(topic, partition)
    const event = { level: "warn", event: "log-put-aside", topic, partition, reason } as const
    if (path !== undefined)
      log(`the log of ${topic}-${partition} was put aside as ${path}: ${reason}`, { ...event, path })
  }

  /** Of the device that the logs are on; undefined where that is not known. */
  space(): DiskSpace | undefined {
    return this.#options.logDirectory.space()
  }

  get dataDir(): string {
    return this.#options.logDirectory.path
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#byTopic.get(topic)?.[index]
  }

  *partitions(): Generator<Partition, void, undefined> {
    for (const partitions of this.#byTopic.values()) for (const partition of partitions) if (partition) yield partition
  }

  /** Partitions whose log cannot be used any more: after a failed disk, or with a damaged file. */
  get offlineCount(): number {
    let count = 0
    for (const { isOffline } of this.partitions()) if (isOffline) count++
    return count
  }

  /** Bytes of a log that is not open. */
  sizeOnDisk(partition: Partition): number {
    return partition.hasLog ? partition.log.size : 0
  }

  /** From here on coordinators hear of their partitions, first of those already led. */
  connect(coordinators: Coordinators): void {
    this.#coordinators = coordinators
    for (const partition of this.partitions()) this.#tellElection(partition)
  }

  /** Follows the metadata. */
  onRecords(records: readonly MetadataRecord[], image: MetadataImage): void {
    const deleted: string[] = []
    for (const record of records) {
      switch (record.type) {
        case "PartitionRecord":
        case "PartitionChangeRecord":
          this.#update(image, record.data.topicId, record.data.partitionId)
          break
        case "RemoveTopicRecord":
          deleted.push(...this.#remove(record.data.topicId))
          break
        case "ConfigRecord":
          if (record.data.resourceType === ConfigResourceType.TOPIC) this.#reconfigure(record.data.resourceName)
          else if (record.data.resourceType === ConfigResourceType.BROKER) {
            for (const topic of this.#byTopic.keys()) this.#reconfigure(topic)
          }
          break
        default:
          break
      }
    }
    if (deleted.length > 0) void this.#coordinators?.groups.onTopicsDeleted(deleted)
  }

  /**
   * Asks the coordinator whether a partition is part of a producer's transaction, or makes it so (KIP-890); answers the
   * coordinator's error.
   */
  async joinTransaction(topic: string, partition: number, producer: ProducerScope, add: boolean): Promise<ErrorCode> {
    const coordinators = this.#coordinators
    if (!coordinators) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const topics = [{ name: topic, partitions: [partition] }]
    const response = await coordinators.transactions.addPartitionsToTxn(
      { apiVersion: BROKERS_ADD_VERSION },
      {
        transactions: [{ ...producer, verifyOnly: !add, topics }],
        v3AndBelowTransactionalId: "",
        v3AndBelowProducerId: -1,
        v3AndBelowProducerEpoch: -1,
        v3AndBelowTopics: [],
      },
    )
    const results = response.resultsByTransaction[0]?.topicResults[0]?.resultsByPartition
    const error = (response.errorCode || results?.[0]?.partitionErrorCode) as ErrorCode | undefined
    // Where data goes a stale epoch has its old name: producers recover from it, PRODUCER_FENCED would end them (row 44).
    if (error === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH
    return error ?? ErrorCode.INVALID_TXN_STATE
  }

  async writeMarker(partition: TopicPartition, marker: EndTransactionMarker): Promise<MarkerOutcome> {
    const error = await this.endTransaction(partition, marker)
    switch (error) {
      case ErrorCode.NONE:
      // A newer epoch has ended it already.
      case ErrorCode.INVALID_PRODUCER_EPOCH:
      case ErrorCode.TRANSACTION_COORDINATOR_FENCED:
        return "written"
      case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
        return "gone"
      default:
        return "retry"
    }
  }

  /** Ends a producer's transaction on one partition; resolves when the marker is committed, or with why it is not. */
  endTransaction({ topic, partition }: TopicPartition, marker: EndTransactionMarker): Promise<ErrorCode> {
    const found = this.partition(topic, partition)
    if (!found) return Promise.resolve(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (topic === CONSUMER_OFFSETS_TOPIC && this.#coordinators) {
      return this.#coordinators.groups.completeTransaction(partition, marker)
    }
    const { producerId, producerEpoch, coordinatorEpoch, commit } = marker
    const batch = endTxnMarkerBatch({
      producerId,
      producerEpoch,
      coordinatorEpoch,
      committed: commit,
      timestamp: this.#options.clock.now(),
    })
    const result = found.append(batch, { origin: "coordinator" }, true)
    if (!result.ok) return Promise.resolve(result.error)
    found.joins.transactionEnded(producerId)
    return new Promise((resolve) => {
      found.whenCommitted(result.lastOffset + 1, (error) => resolve((error ?? ErrorCode.NONE) as ErrorCode))
    })
  }

  checkpoint(): void {
    try {
      this.#options.logDirectory.checkpoint(this.#highWatermarks())
      this.#checkpointFailed = false
    } catch (cause) {
      if (faultCode(cause) === undefined) throw cause
      if (this.#checkpointFailed) return
      this.#checkpointFailed = true
      const reason = reasonOf(cause)
      this.#options.log(`checkpoint failed: ${reason}`, { level: "error", event: "checkpoint-failed", reason })
    }
  }

  *#highWatermarks(): Generator<TopicPartition & { offset: number }, void, undefined> {
    for (const partition of this.partitions()) {
      const { topic, index, isOpen, isOffline } = partition
      if (isOpen && !isOffline) yield { topic, partition: index, offset: partition.highWatermark }
    }
  }

  /** Lets readers that wait for data have what there is. */
  interruptReaders(): void {
    for (const partition of this.partitions()) partition.fetchWaiters.interruptAll()
  }

  close(): void {
    this.#removing?.cancel()
    for (const partition of this.partitions()) partition.close(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  }

  #update(image: MetadataImage, topicId: string, index: number): void {
    const topic = image.topicById(topicId)
    const state = topic?.partitions[index]
    // Created and removed by the same batch of records.
    if (!topic || !state) return
    const known = this.partition(topic.name, index)
    if (!known || known.topicId !== topicId) {
      if (!state.replicas.includes(this.#options.brokerId)) return
      this.#tellElection(this.#create(topic, state))
      return
    }
    const epoch = known.leaderEpoch
    known.lead(leadershipOf(state))
    if (known.leaderEpoch !== epoch) this.#tellElection(known)
  }

  #create(topic: TopicImage, state: PartitionImage): Partition {
    const { brokerId, clock, configs, logDirectory, log } = this.#options
    const { name, topicId } = topic
    const { index } = state
    const found = this.#found.get(`${name}-${index}`)
    const partition = new Partition(
      {
        topic: name,
        topicId,
        index,
        brokerId,
        // A directory that lost the file with its topic id is adopted when it is opened.
        logExists: found === topicId || found === "" || this.#isLost(name, index),
        openLog: () =>
          logDirectory.createLog(name, index, topicId, logConfigOf(configs.topic(name), configs.broker), clock.now()),
        now: () => clock.now(),
        minInsyncReplicas: () => configs.topic(name)["min.insync.replicas"],
        flushMessages: () => configs.topic(name)["flush.messages"],
        onFault: log,
        onHighWatermark: this.#watermarkListener(name, index),
      },
      leadershipOf(state),
    )
    let partitions = this.#byTopic.get(name)
    if (!partitions) this.#byTopic.set(name, (partitions = []))
    partitions[index] = partition
    return partition
  }

  #watermarkListener(topic: string, index: number): ((highWatermark: number) => void) | undefined {
    if (topic === CONSUMER_OFFSETS_TOPIC) return (end) => this.#coordinators?.groups.onHighWatermark(index, end)
    if (topic === TRANSACTION_STATE_TOPIC) return (end) => this.#coordinators?.transactions.onHighWatermark(index, end)
    return undefined
  }

  #tellElection({ topic, index, isLeader, leaderEpoch }: Partition): void {
    const coordinator = this.#coordinatorOf(topic)
    if (isLeader) coordinator?.onElection(index, leaderEpoch)
    else coordinator?.onResignation(index)
  }

  #coordinatorOf(topic: string): GroupCoordinator | TransactionCoordinator | undefined {
    if (topic === CONSUMER_OFFSETS_TOPIC) return this.#coordinators?.groups
    return topic === TRANSACTION_STATE_TOPIC ? this.#coordinators?.transactions : undefined
  }

  #remove(topicId: string): string[] {
    const { logDirectory } = this.#options
    for (const [name, partitions] of this.#byTopic) {
      if (partitions.find(Boolean)?.topicId !== topicId) continue
      this.#byTopic.delete(name)
      for (const partition of partitions) {
        this.#coordinatorOf(name)?.onResignation(partition.index)
        partition.close(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      }
      const logs = partitions.filter(({ hasLog }) => hasLog)
      const removals = logDirectory.deleteLogs(logs.map(({ topic, index }) => ({ topic, partition: index })))
      for (const removal of removals) this.#removals.push(removal)
      this.#removeSoon()
      return [name]
    }
    return []
  }

  #removeSoon(): void {
    const { clock, log } = this.#options
    this.#removing ??= clock.setTimer(0, () => {
      this.#removing = undefined
      try {
        for (const removal of this.#removals.splice(0, REMOVALS_AT_ONCE)) removal()
      } catch (cause) {
        if (faultCode(cause) === undefined) throw cause
        const reason = (cause as Error).message
        log(`files of a deleted log stay until the next start: ${reason}`, {
          level: "warn",
          event: "removal-failed",
          reason,
        })
      }
      if (this.#removals.length > 0) this.#removeSoon()
    })
  }

  #reconfigure(topic: string): void {
    const { configs } = this.#options
    for (const partition of this.#byTopic.get(topic) ?? []) {
      if (partition?.isOpen) partition.log.config = logConfigOf(configs.topic(topic), configs.broker)
    }
  }
}

/** Logs whose files are removed before others get a turn. */
const REMOVALS_AT_ONCE = 8

/** AddPartitionsToTxn in the form in which brokers ask. */
const BROKERS_ADD_VERSION = 5

function leadershipOf({ leader, leaderEpoch, partitionEpoch, isr, replicas }: PartitionImage): Leadership {
  return { leader, leaderEpoch, partitionEpoch, isr: [...isr], replicas: [...replicas] }
}
