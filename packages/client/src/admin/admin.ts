/**
 * The admin client: one method per operation, each in its file by subject.
 *
 * A method rejects with a `KafkaError` that names the topic, group or config at fault; connection faults and retriable
 * codes are tried again until `defaultApiTimeoutMs`.
 */
import type { Address } from "@millrace/host"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { type Cluster, CoordinatorType } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import type { CommittedOffset } from "../consumer/committed.ts"
import { type ListedOffset, listOffsets, type OffsetQuery } from "../consumer/list-offsets.ts"
import type { TopicPartition } from "../group/assignor.ts"
import { retrying } from "../network/retry.ts"
import type { TopicPartitionOffset } from "../producer/transactions.ts"
import * as acls from "./acls.ts"
import * as configs from "./configs.ts"
import * as tokens from "./delegation-tokens.ts"
import * as groups from "./groups.ts"
import * as quotas from "./quotas.ts"
import * as streamsGroups from "./streams-groups.ts"
import * as topics from "./topics.ts"
import * as transactions from "./transactions.ts"
import * as users from "./users.ts"

export interface ClusterDescription {
  readonly clusterId: string | null
  /** -1 when there is none. */
  readonly controllerId: number
  readonly nodes: readonly { readonly id: number; readonly address: Address; readonly rack: string | null }[]
}

export class Admin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  createTopics(list: readonly topics.NewTopic[], options?: topics.CreateTopicsOptions): Promise<topics.CreatedTopic[]> {
    return topics.createTopics(this.#cluster, list, options)
  }
  deleteTopics(names: readonly string[], options?: topics.DeleteTopicsOptions): Promise<void> {
    return topics.deleteTopics(this.#cluster, names, options)
  }
  createPartitions(
    list: readonly { readonly name: string; readonly count: number }[],
    options?: { readonly validateOnly?: boolean; readonly timeoutMs?: number },
  ): Promise<void> {
    return topics.createPartitions(this.#cluster, list, options)
  }
  describeTopics(names: readonly string[]): Promise<topics.TopicDescription[]> {
    return topics.describeTopics(this.#cluster, names)
  }
  listTopics(options?: { readonly includeInternal?: boolean }): Promise<string[]> {
    return topics.listTopics(this.#cluster, options)
  }
  deleteRecords(offsets: readonly (TopicPartition & { readonly offset: number })[]) {
    return topics.deleteRecords(this.#cluster, offsets)
  }

  describeConfigs(resources: readonly (configs.ConfigResource & { readonly keys?: readonly string[] })[]) {
    return configs.describeConfigs(this.#cluster, resources)
  }
  incrementalAlterConfigs(
    resources: readonly (configs.ConfigResource & { readonly changes: readonly configs.ConfigChange[] })[],
    options?: { readonly validateOnly?: boolean },
  ): Promise<void> {
    return configs.incrementalAlterConfigs(this.#cluster, resources, options)
  }

  listOffsets(
    queries: readonly OffsetQuery[],
    options: { readonly isolation?: "read_committed" | "read_uncommitted" } = {},
  ): Promise<ListedOffset[]> {
    return listOffsets(this.#cluster, queries, { readCommitted: options.isolation === "read_committed" })
  }

  async describeCluster(): Promise<ClusterDescription> {
    await retrying(this.#cluster.env, { what: "describing the cluster" }, () => this.#cluster.refresh())
    const { metadata } = this.#cluster
    return { clusterId: metadata.clusterId, controllerId: metadata.controllerId, nodes: [...metadata.nodes()] }
  }

  listGroups(options?: { readonly states?: readonly string[]; readonly types?: readonly string[] }) {
    return groups.listGroups(this.#cluster, options)
  }
  describeGroups(groupIds: readonly string[]): Promise<groups.GroupDescription[]> {
    return groups.describeGroups(this.#cluster, groupIds)
  }
  deleteGroups(groupIds: readonly string[]): Promise<void> {
    return groups.deleteGroups(this.#cluster, groupIds)
  }
  listGroupOffsets(
    groupId: string,
    options?: { readonly partitions?: readonly TopicPartition[]; readonly requireStable?: boolean },
  ): Promise<CommittedOffset[]> {
    return groups.listGroupOffsets(this.#cluster, groupId, options)
  }
  alterGroupOffsets(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    return groups.alterGroupOffsets(this.#cluster, groupId, offsets)
  }

  /** Why the cluster serves no streams groups (KIP-1071); undefined when it does. */
  streamsGroupsFault(): Promise<string | undefined> {
    return streamsGroups.streamsGroupsFault(this.#cluster)
  }
  /** Undefined when there is no streams group of that id. */
  describeStreamsGroup(groupId: string): Promise<streamsGroups.StreamsGroupDescription | undefined> {
    return streamsGroups.describeStreamsGroup(this.#cluster, groupId)
  }

  listTransactions(options?: {
    readonly states?: readonly transactions.TransactionState[]
  }): Promise<transactions.ListedTransaction[]> {
    return transactions.listTransactions(this.#cluster, options)
  }

  /** Sets and removes users' SCRAM credentials; passwords are salted before they leave this process. */
  alterScramCredentials(
    upsertions: readonly users.ScramUpsertion[],
    deletions: readonly users.ScramDeletion[] = [],
  ): Promise<void> {
    return users.alterScramCredentials(this.#cluster, upsertions, deletions)
  }
  /** Mechanisms and iterations of users' SCRAM credentials; of all users when none is named. */
  describeScramCredentials(names?: readonly string[]): Promise<users.UserScramCredentials[]> {
    return users.describeScramCredentials(this.#cluster, names)
  }

  /** Sets and removes quotas of users, client ids and addresses. */
  alterClientQuotas(alterations: readonly quotas.QuotaAlteration[]): Promise<void> {
    return quotas.alterClientQuotas(this.#cluster, alterations)
  }
  /** Quotas that are set, of entities that have all parts of `filter`; of all without one. */
  describeClientQuotas(filter?: quotas.QuotaEntity): Promise<quotas.ClientQuotas[]> {
    return quotas.describeClientQuotas(this.#cluster, filter)
  }

  /** Adds rules of who may do what. */
  createAcls(rules: readonly acls.AclRule[]): Promise<void> {
    return acls.createAcls(this.#cluster, rules)
  }
  describeAcls(filter?: acls.AclRuleFilter): Promise<acls.AclRule[]> {
    return acls.describeAcls(this.#cluster, filter)
  }
  /** Deletes the rules that match one of the filters, and answers them, but for those that a lost answer told of. */
  deleteAcls(filters: readonly acls.AclRuleFilter[]): Promise<acls.AclRule[]> {
    return acls.deleteAcls(this.#cluster, filters)
  }

  /** A delegation token of the caller, or of another user where rules allow it; see `DelegationToken`. */
  createDelegationToken(options?: tokens.DelegationTokenOptions): Promise<tokens.DelegationToken> {
    return tokens.createDelegationToken(this.#cluster, options)
  }
  /** Prolongs a token, as long as may be unless a period is given; answers when it ends now. */
  renewDelegationToken(hmac: string, renewPeriodMs?: number): Promise<number> {
    return tokens.renewDelegationToken(this.#cluster, hmac, renewPeriodMs)
  }
  /** Ends a token, at once unless a period is given; answers when. */
  expireDelegationToken(hmac: string, expiryTimePeriodMs?: number): Promise<number> {
    return tokens.expireDelegationToken(this.#cluster, hmac, expiryTimePeriodMs)
  }
  /** Tokens that the caller may see; those of some owners, or of all. */
  describeDelegationTokens(owners?: readonly string[]): Promise<tokens.DelegationToken[]> {
    return tokens.describeDelegationTokens(this.#cluster, owners)
  }

  /** Takes over a transactional id: its producer is fenced and its open transaction aborted. */
  fenceProducer(transactionalId: string, transactionTimeoutMs = 60_000): Promise<void> {
    const what = `fencing transactional id ${transactionalId}`
    const type = CoordinatorType.transaction
    return retrying(this.#cluster.env, { what }, async () => {
      try {
        const connection = await this.#cluster.coordinator(type, transactionalId)
        const { errorCode } = await connection.request(InitProducerId, { transactionalId, transactionTimeoutMs })
        if (errorCode !== 0) throw kafkaError(errorCode, what)
      } catch (error) {
        this.#cluster.coordinatorFault(type, transactionalId, error)
        throw error
      }
    })
  }

  async close(): Promise<void> {
    await this.#cluster.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
