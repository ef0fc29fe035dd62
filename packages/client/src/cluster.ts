/**
 * The cluster as one client sees it: metadata kept fresh, and connections to the node that a request belongs to.
 *
 * Every producer, consumer and admin has its own, so that one's long polls never hold up another's requests.
 */
import { type Address, formatAddress, NetError } from "@millrace/host"
import { ErrorCode, KafkaError, ZERO_UUID } from "@millrace/protocol"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { Metadata, type MetadataResponse } from "@millrace/protocol/messages/metadata"
import { ClosedError, kafkaError } from "./errors.ts"
import { MetadataCache, type MetadataAnswer, type PartitionMetadata, type TopicMetadata } from "./metadata/cache.ts"
import type { BrokerConnection } from "./network/connection.ts"
import { Connections } from "./network/connections.ts"
import { retrying } from "./network/retry.ts"
import type { ClientEnv } from "./options.ts"
import { TelemetryReporter } from "./telemetry/reporter.ts"
import { RequestFigures } from "./telemetry/requests.ts"

export const CoordinatorType = { group: 0, transaction: 1 } as const
export type CoordinatorType = (typeof CoordinatorType)[keyof typeof CoordinatorType]

/** Which of a node's connections: "fetch" and "group" requests may be held back by the broker. */
export type Lane = "main" | "fetch" | "group"

/** Errors that say: your metadata is stale. */
const STALE_METADATA: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.LISTENER_NOT_FOUND,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

export const isStaleMetadata = (code: number): boolean => STALE_METADATA.has(code)

/** How old metadata may get while it lacks a topic that is asked for. */
const ABSENT_TOPIC_MAX_AGE_MS = 1_000

export interface ClusterOptions {
  readonly allowAutoTopicCreation?: boolean
  /** As what the client names its metrics, which it pushes where they are wanted; without it, it tells none. */
  readonly telemetry?: "producer" | "consumer" | "admin.client"
}

export class Cluster {
  readonly env: ClientEnv
  readonly metadata = new MetadataCache()
  /** Undefined where it is switched off, or nobody is told. */
  readonly telemetry: TelemetryReporter | undefined
  readonly #connections: Connections
  readonly #topics = new Set<string>()
  readonly #coordinators = new Map<string, { readonly id: number; readonly address: Address }>()
  #refreshing: Promise<void> | undefined
  #refreshedAt = -Infinity
  #autoCreate = false
  #closed = false

  constructor(env: ClientEnv, options: ClusterOptions = {}) {
    this.env = env
    const figures = new RequestFigures()
    this.#connections = new Connections(env, figures)
    if (options.telemetry !== undefined && env.enableMetricsPush) {
      const prefix = `org.apache.kafka.${options.telemetry}.`
      this.telemetry = new TelemetryReporter({
        env,
        connect: () => this.any(),
        connected: () => this.#openAny(),
      })
      this.telemetry.add(() => figures.metrics(prefix))
    }
    this.#autoCreate = options.allowAutoTopicCreation ?? false
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Metrics that are wanted are told a last time. */
  async close(): Promise<void> {
    if (this.telemetry !== undefined) await this.telemetry.close()
    this.#closed = true
    this.#connections.close()
  }

  /** A connection to any node: an open one if there is one, then known nodes, then the bootstrap list. */
  async any(): Promise<BrokerConnection> {
    const open = this.#openAny()
    if (open) return open
    const nodes = [...this.metadata.nodes()]
    const candidates: (readonly [string, Address])[] = [
      ...shuffled(nodes, this.env).map((node) => [slotKey(node.id, "main"), node.address] as const),
      ...shuffled(this.env.bootstrap, this.env).map(
        (address) => [`bootstrap ${formatAddress(address)}`, address] as const,
      ),
    ]
    const ready = candidates.filter(([key]) => !this.#connections.isBackingOff(key))
    let failure: unknown
    for (const [key, address] of ready.length > 0 ? ready : candidates.slice(0, 1)) {
      try {
        return await this.#connections.get(key, address)
      } catch (error) {
        if (!(error instanceof NetError)) throw error
        failure = error
      }
    }
    throw failure
  }

  #openAny(): BrokerConnection | undefined {
    for (const node of this.metadata.nodes()) {
      const open = this.#connections.peek(slotKey(node.id, "main"))
      if (open) return open
    }
    return undefined
  }

  /** A connection to a node that metadata or a coordinator's address told us of. */
  node(id: number, lane: Lane = "main", address?: Address): Promise<BrokerConnection> {
    const target = address ?? this.metadata.node(id)?.address
    if (!target) return Promise.reject(kafkaError(ErrorCode.BROKER_NOT_AVAILABLE, `node ${id} is not known`))
    return this.#connections.get(slotKey(id, lane), target)
  }

  /** A connection to a partition's leader; a leader that metadata does not list (yet, or any more) is a retriable error. */
  async leaderNode(id: number, lane: Lane = "main"): Promise<BrokerConnection> {
    if (this.metadata.node(id)) return await this.node(id, lane)
    await this.refresh()
    if (this.metadata.node(id)) return await this.node(id, lane)
    throw kafkaError(ErrorCode.LEADER_NOT_AVAILABLE, `node ${id} leads and is not among the cluster's nodes`)
  }

  /** The node's connection if it is open already. */
  openNode(id: number, lane: Lane): BrokerConnection | undefined {
    return this.#connections.peek(slotKey(id, lane))
  }

  /** The controller where the cluster names one; in KRaft any broker forwards. */
  async controller(): Promise<BrokerConnection> {
    if (this.metadata.controllerId < 0) await this.refresh()
    const id = this.metadata.controllerId
    return this.metadata.node(id) ? this.node(id) : this.any()
  }

  /** The coordinator of a group or a transactional id, looked up once and kept until `forgetCoordinator`. */
  async coordinator(type: CoordinatorType, key: string, lane: Lane = "main"): Promise<BrokerConnection> {
    const cacheKey = `${type} ${key}`
    let found = this.#coordinators.get(cacheKey)
    if (!found) {
      found = await this.#findCoordinator(type, key)
      this.#coordinators.set(cacheKey, found)
    }
    try {
      return await this.node(found.id, lane, found.address)
    } catch (error) {
      this.#coordinators.delete(cacheKey)
      throw error
    }
  }

  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.delete(`${type} ${key}`)
  }

  /** Makes the coordinator's answers about itself and lost connections lead to a new look-up. */
  coordinatorFault(type: CoordinatorType, key: string, error: unknown): void {
    const lost =
      error instanceof NetError ||
      (error instanceof Error && error.name === "TimeoutError") ||
      (error instanceof KafkaError &&
        (error.code === ErrorCode.NOT_COORDINATOR || error.code === ErrorCode.COORDINATOR_NOT_AVAILABLE))
    if (lost) this.forgetCoordinator(type, key)
  }

  async #findCoordinator(type: CoordinatorType, key: string): Promise<{ id: number; address: Address }> {
    const connection = await this.any()
    const answer = await connection.request(FindCoordinator, (version) =>
      version >= 4 ? { keyType: type, coordinatorKeys: [key] } : { key, keyType: type },
    )
    const found = answer.coordinators[0] ?? answer
    if (found.errorCode !== ErrorCode.NONE) {
      throw kafkaError(found.errorCode, `finding the coordinator of ${key}`, found.errorMessage)
    }
    return { id: found.nodeId, address: { host: found.host, port: found.port } }
  }

  /** Topics that every refresh asks for. */
  track(topics: Iterable<string>): void {
    for (const topic of topics) this.#topics.add(topic)
  }

  /** Whether it is time to ask again: by age, and sooner while a tracked topic does not exist yet. */
  get isStale(): boolean {
    const age = this.env.clock.monotonic() - this.#refreshedAt
    if (age < ABSENT_TOPIC_MAX_AGE_MS) return false
    if (age >= this.env.metadataMaxAgeMs) return true
    for (const topic of this.#topics) if ((this.metadata.topic(topic)?.partitions.length ?? 0) === 0) return true
    return false
  }

  /** Asks for the tracked topics again. Calls at the same time share one request. */
  refresh(): Promise<void> {
    return (this.#refreshing ??= this.#ask([...this.#topics]).finally(() => {
      this.#refreshing = undefined
    }))
  }

  /** The same without waiting: an error just told that metadata is stale. Failures show where they matter. */
  refreshSoon(): void {
    this.refresh().catch(() => {})
  }

  async #ask(topics: readonly string[] | null): Promise<void> {
    if (this.#closed) throw new ClosedError("the client is closed")
    const connection = await this.any()
    const answer = await connection.request(Metadata, {
      topics: topics === null ? null : topics.map((name) => ({ name, topicId: ZERO_UUID })),
      allowAutoTopicCreation: this.#autoCreate,
    })
    this.#refreshedAt = this.env.clock.monotonic()
    this.metadata.apply(answerOf(answer), topics === null)
    this.telemetry?.begin(connection)
  }

  /** All topics of the cluster; they are not tracked. */
  async allTopics(): Promise<TopicMetadata[]> {
    await this.#ask(null)
    return [...this.metadata.topics()]
  }

  /** The topic's metadata, asked for until it has leaders or the timeout ends. */
  topic(name: string, timeoutMs?: number): Promise<TopicMetadata> {
    this.#topics.add(name)
    const usable = (topic: TopicMetadata | undefined): topic is TopicMetadata =>
      topic !== undefined && topic.error === ErrorCode.NONE && topic.partitions.length > 0
    const known = this.metadata.topic(name)
    if (usable(known)) return Promise.resolve(known)
    const options = { what: `metadata of topic ${name}`, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
    return retrying(this.env, options, async () => {
      await this.refresh()
      const topic = this.metadata.topic(name)
      if (usable(topic)) return topic
      throw kafkaError(this.metadata.topic(name)?.error || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `topic ${name}`)
    })
  }

  /** The partition's leader, a node we can reach; throws a retriable error, and refreshes, while there is none. */
  async leader(topic: string, partition: number): Promise<PartitionMetadata> {
    this.#topics.add(topic)
    const known = this.metadata.partition(topic, partition)
    if (known && known.leader >= 0 && this.metadata.node(known.leader)) return known
    await this.refresh()
    const fresh = this.metadata.partition(topic, partition)
    // A broker that starts or ends may lead before, or after, the list of nodes has it.
    if (fresh && fresh.leader >= 0 && this.metadata.node(fresh.leader)) return fresh
    const code = this.metadata.topic(topic)?.error || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    throw kafkaError(fresh ? ErrorCode.LEADER_NOT_AVAILABLE : code, `${topic}-${partition}`)
  }
}

const slotKey = (id: number, lane: Lane): string => `${id} ${lane}`

function shuffled<T>(items: readonly T[], env: ClientEnv): T[] {
  const copy = [...items]
  for (let index = copy.length - 1; index > 0; index--) {
    const other = env.random.int(index + 1)
    ;[copy[index], copy[other]] = [copy[other]!, copy[index]!]
  }
  return copy
}

function answerOf(answer: MetadataResponse): MetadataAnswer {
  return {
    clusterId: answer.clusterId,
    controllerId: answer.controllerId,
    nodes: answer.brokers.map((broker) => ({
      id: broker.nodeId,
      address: { host: broker.host, port: broker.port },
      rack: broker.rack,
    })),
    topics: answer.topics
      .filter((topic) => topic.name !== null)
      .map((topic) => {
        const partitions: PartitionMetadata[] = []
        for (const partition of topic.partitions) {
          partitions[partition.partitionIndex] = {
            partition: partition.partitionIndex,
            leader: partition.leaderId,
            leaderEpoch: partition.leaderEpoch,
            replicas: partition.replicaNodes,
            isr: partition.isrNodes,
            error: partition.errorCode,
          }
        }
        return {
          name: topic.name!,
          topicId: topic.topicId === ZERO_UUID ? undefined : topic.topicId,
          internal: topic.isInternal,
          error: topic.errorCode,
          partitions,
        }
      }),
  }
}
