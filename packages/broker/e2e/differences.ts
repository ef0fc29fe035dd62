/**
 * What an answer of Kafka's and one of ours may differ in, each with its reason: everything else is compared.
 *
 * A path names a field by its API and the fields around it, without indexes: `Metadata.brokers.port`. The first entry
 * whose expression matches decides.
 */

import { ZERO_UUID } from "@millrace/protocol"
import { BATCH_HEADER_BYTES, batches } from "@millrace/protocol/record/batch"

/** Gives a value that is one broker's own a name that both have in common: by the order in which such values appear. */
export class Names {
  readonly #names = new Map<unknown, string>()

  readonly give: Naming = (value, prefix) => {
    const name = this.#names.get(value) ?? `${prefix} #${this.#names.size}`
    this.#names.set(value, name)
    return name
  }

  /** Of one that has none yet, what kind of value it is. */
  readonly known: Naming = (value, prefix) => this.#names.get(value) ?? prefix
}

type Naming = (value: unknown, prefix: string) => string

export interface Difference {
  readonly at: RegExp
  readonly why: string
  /** A list is meant, not what is in it. */
  readonly whole?: true
  /** What is compared in its place. */
  as(value: unknown, name: Naming): unknown
}

/** A name that was generated: its end is a UUID. */
const GENERATED = /-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether there is a text, not which. */
const isThere = (value: unknown) => (typeof value === "string" && value !== "" ? "a text" : value)
const isPositive = (value: unknown) => (typeof value === "number" && value > 0 ? "positive" : value)

const DEFAULT_CONFIG = 5
/** Of a list of synonyms those that somebody set. */
export function withoutDefaults(synonyms: unknown): unknown {
  return (synonyms as readonly { readonly source: number }[]).filter(({ source }) => source !== DEFAULT_CONFIG)
}

/**
 * Settings of topics that one of both has: dead letters of share groups and newer ones of tiering, the tests' own and
 * ours; and of min.insync.replicas, Kafka's value is the cluster's, set by its eligible leader replicas (KIP-966).
 */
export const NOT_SHARED = /^(errors\.deadletterqueue|remote\.copy\.lag|millrace\.|internal\.|min\.insync\.replicas$)/

export const differences: readonly Difference[] = [
  {
    at: /^DescribeConfigs\.results\.configs\.synonyms$/,
    whole: true,
    why: "Of a default Kafka names the first synonym, where that has one; ours the one that it comes from.",
    as: withoutDefaults,
  },
  {
    at: /^CreateTopics\.topics\.configs$/,
    whole: true,
    why: "Some settings are Kafka's alone, some ours.",
    as: (value) => (value as readonly { name: string }[] | null)?.filter(({ name }) => !NOT_SHARED.test(name)) ?? null,
  },
  {
    at: /(errorMessage|ErrorMessage|documentation)$/,
    why: "Wording is each broker's own, and Kafka leaves many messages out that we give.",
    as: () => "",
  },
  {
    at: /^ConsumerGroupHeartbeat\.memberEpoch$/,
    why: "Kafka counts the epochs of a consumer group from 2 on, ours from 1.",
    as: isPositive,
  },
  {
    at: /^ConsumerGroupHeartbeat\.memberId$/,
    why: "Each broker draws ids of members, and writes them in its own way.",
    as: (value, name) => (typeof value === "string" && value.length >= 22 ? name(value, "member") : value),
  },
  {
    at: /statusDetail$/,
    why: "It lists names in the order of a hash table.",
    as: (value) => String(value).split(/[:,] /).sort(),
  },
  {
    at: /(^|\.)(host|clusterId|rack|logDir)$/,
    why: "They are two brokers, on two addresses.",
    as: isThere,
  },
  {
    at: /(^|\.)port$/,
    why: "They are two brokers, on two addresses.",
    as: isPositive,
  },
  {
    at: /(topicId|DirectoryId)$/,
    why: "Ids are drawn at random; those that are equal on one side are equal on the other.",
    as: (value, name) => (value === ZERO_UUID ? value : name(value, "topic id")),
  },
  {
    at: /(^|\.)(producerId|sessionId)$/,
    why: "Each broker counts, or draws, its own.",
    as: (value, name) => (typeof value === "number" && value > 0 ? name(`id ${value}`, "id") : value),
  },
  {
    at: /(^|\.)(nodeId|brokerId|leaderId|controllerId|replicaNodes|isrNodes|offlineReplicas|replicaId)$/,
    why: "A node has the number that it was given.",
    as: (value, name) => (typeof value === "number" && value >= 0 ? name(`node ${value}`, "node") : value),
  },
  {
    at: /^(Create|Describe)DelegationToken\.(tokens\.)?tokenId$/,
    why: "Ids are drawn at random.",
    as: (value, name) => (value === "" ? value : name(value, "token")),
  },
  {
    at: /^(Create|Describe)DelegationToken\.(tokens\.)?hmac$/,
    why: "It is made of the id.",
    as: (value) => (value as Uint8Array).length,
  },
  {
    at: /^\w+DelegationToken\.(tokens\.)?(issue|expiry|max)Timestamp(Ms)?$/,
    why: "Each broker is asked in its own time.",
    as: isPositive,
  },
  {
    at: /(transactionStartTimeMs|lastTimestamp|logAppendTimeMs)$/,
    why: "Each broker is asked in its own time.",
    as: isPositive,
  },
]

/** Lists whose order means nothing, and is that of a hash table in Kafka. */
const UNORDERED: readonly RegExp[] = [
  /^Metadata\.topics$/,
  /^CreateTopics\.topics$/,
  /^DeleteTopics\.responses$/,
  /^CreatePartitions\.results$/,
  /^Produce\.responses(\.partitionResponses)?$/,
  /^Fetch\.responses$/,
  /^(Txn)?OffsetCommit\.topics(\.partitions)?$/,
  /^(ListOffsets|DeleteRecords)\.topics(\.partitions)?$/,
  /^DescribeConfigs\.results\.configs$/,
  /^DescribeConfigs\.results$/,
  /\.members$/,
  /^(|Consumer|Streams)(GroupDescribe|DescribeGroups)\.groups$/,
  /^DeleteGroups\.results$/,
  /^(OffsetCommit|OffsetDelete)\.topics(\.partitions)?$/,
  /^DescribeUserScramCredentials\.results(\.credentialInfos)?$/,
  /^WriteTxnMarkers\.markers\.topics(\.partitions)?$/,
  /^AlterUserScramCredentials\.results$/,
  /^DescribeProducers\.topics\.partitions(\.activeProducers)?$/,
  /^described$/,
  /^AlterClientQuotas\.entries(\.entity)?$/,
  /^DescribeTransactions\.transactionStates\.topics(\.partitions)?$/,
  /^AddPartitionsToTxn\..*[rR]esults(By\w+)?$/,
  /^DescribeDelegationToken\.tokens$/,
  /^UpdateFeatures\.results$/,
  /^AlterReplicaLogDirs\.results(\.partitions)?$/,
  /^OffsetFetch\.(groups\.)?topics$/,
  /^OffsetFetch\.(groups\.)?topics\.partitions$/,
]

export function comparable(value: unknown, path: string, names: Names, name: Naming = names.give): unknown {
  if (path === "Fetch.responses.partitions.records" && value instanceof Uint8Array)
    return batchesIn(value, path, names, name)
  const isList = Array.isArray(value)
  const difference = differences.find(({ at, whole = false }) => whole === isList && at.test(path))
  if (difference) return difference.as(value, name)
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1")
  if (isList) {
    const list: readonly unknown[] = path === "Fetch.responses" ? value.flatMap(ungrouped) : value
    const items = UNORDERED.some((unordered) => unordered.test(path)) ? inOrder(list, path, names) : list
    return items.map((item) => comparable(item, path, names, name))
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([field, item]) => [field, comparable(item, `${path}.${field}`, names, name)]),
    )
  }
  if (typeof value === "string" && GENERATED.test(value)) return name(value, value.replace(GENERATED, ""))
  return value
}

/** How partitions of a topic are put together means nothing: Kafka puts those that it refuses apart. */
const ungrouped = (topic: unknown): unknown[] =>
  partitionsOf(topic).map((partition) => ({ ...(topic as object), partitions: [partition] }))

interface FetchedPartition {
  readonly records: Uint8Array | null
  readonly abortedTransactions: readonly unknown[] | null
}
/**
 * Without records no list of aborted transactions is as good as an empty one: Kafka fills what is left of the limits with a
 * part of a batch, which readers drop, and so has no room for other partitions where ours has some, or the reverse.
 */
const partitionsOf = (topic: unknown): FetchedPartition[] =>
  (topic as { partitions: readonly FetchedPartition[] }).partitions.map((partition) =>
    partition.records?.length === 0
      ? { ...partition, abortedTransactions: partition.abortedTransactions ?? [] }
      : partition,
  )

/** By what they say apart from names, which are given in that order. */
function inOrder(items: readonly unknown[], path: string, names: Names): unknown[] {
  const texts = new Map(items.map((item) => [item, JSON.stringify(comparable(item, path, names, names.known))]))
  return [...items].sort((a, b) => (texts.get(a)! < texts.get(b)! ? -1 : 1))
}

/** Headers field by field, since producers' ids and times of appending are among them; records byte by byte. */
function batchesIn(bytes: Uint8Array, path: string, names: Names, name: Naming): unknown {
  return [...batches(bytes)].map((batch) => {
    const { baseOffset, sizeInBytes, partitionLeaderEpoch, magic, attributes, lastOffsetDelta, recordCount } = batch
    const { baseTimestamp, producerId, producerEpoch, baseSequence } = batch
    const isStamped = batch.timestampType === "LogAppendTime" || batch.isControl
    const fields = {
      ...{ baseOffset, sizeInBytes, partitionLeaderEpoch, magic, attributes, lastOffsetDelta, recordCount },
      ...{ producerId, producerEpoch, baseSequence, isValid: batch.isValidCrc() },
      baseTimestamp: batch.isControl ? isPositive(baseTimestamp) : baseTimestamp,
      maxTimestamp: isStamped ? isPositive(batch.maxTimestamp) : batch.maxTimestamp,
      records: batch.bytes.subarray(batch.offset + BATCH_HEADER_BYTES, batch.offset + sizeInBytes),
    }
    return comparable(fields, path, names, name)
  })
}

/** Where two values differ, a line each. */
export function disagreements(ours: unknown, theirs: unknown, path = ""): string[] {
  if (typeof ours === "object" && typeof theirs === "object" && ours !== null && theirs !== null) {
    if (Array.isArray(ours) !== Array.isArray(theirs)) return [said(path, ours, theirs)]
    const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    if (Array.isArray(ours) && ours.length !== (theirs as unknown[]).length) return [said(path, ours, theirs)]
    return keys.flatMap((key) =>
      disagreements((ours as Fields)[key], (theirs as Fields)[key], path === "" ? key : `${path}.${key}`),
    )
  }
  return Object.is(ours, theirs) ? [] : [said(path, ours, theirs)]
}

type Fields = Readonly<Record<string, unknown>>

const said = (path: string, ours: unknown, theirs: unknown) =>
  `${path}: ours ${JSON.stringify(ours)}, Kafka's ${JSON.stringify(theirs)}`
