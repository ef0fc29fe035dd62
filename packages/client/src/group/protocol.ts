/**
 * The bytes that members and leader exchange through JoinGroup and SyncGroup: Kafka's consumer protocol, so that other
 * clients can be in the same group. A two-byte version, then the message in that version (KIP-429, KIP-792, KIP-881).
 */
import { decode, encode, ErrorCode, KafkaError } from "@millrace/protocol"
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import type { GroupMember, MemberAssignment, TopicPartition } from "./assignor.ts"

export const PROTOCOL_TYPE = "consumer"
const SUBSCRIPTION_VERSION = 3
/** Java still writes assignments in version 0; nothing was added since. */
const ASSIGNMENT_VERSION = 0
const VERSION_MAX = 3

export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Uint8Array | null
  readonly ownedPartitions: readonly TopicPartition[]
  readonly generationId: number
  readonly rackId: string | null
}

export function encodeSubscription(subscription: Subscription): Uint8Array {
  const body = encode(ConsumerProtocolSubscription, SUBSCRIPTION_VERSION, {
    topics: [...subscription.topics],
    userData: subscription.userData,
    ownedPartitions: byTopic(subscription.ownedPartitions),
    generationId: subscription.generationId,
    rackId: subscription.rackId,
  })
  return prefixed(SUBSCRIPTION_VERSION, body)
}

export function decodeMember(memberId: string, groupInstanceId: string | null, metadata: Uint8Array): GroupMember {
  const value = decode(ConsumerProtocolSubscription, versionOf(metadata, "subscription"), metadata, 2)
  return {
    memberId,
    groupInstanceId,
    topics: value.topics,
    userData: value.userData,
    ownedPartitions: flat(value.ownedPartitions),
    generationId: value.generationId,
    rackId: value.rackId,
  }
}

export function encodeAssignment(assignment: MemberAssignment): Uint8Array {
  const body = encode(ConsumerProtocolAssignment, ASSIGNMENT_VERSION, {
    assignedPartitions: byTopic(assignment.partitions),
    userData: assignment.userData ?? null,
  })
  return prefixed(ASSIGNMENT_VERSION, body)
}

/** No bytes at all mean no partitions. */
export function decodeAssignment(bytes: Uint8Array): Required<MemberAssignment> {
  if (bytes.length === 0) return { partitions: [], userData: null }
  const value = decode(ConsumerProtocolAssignment, versionOf(bytes, "assignment"), bytes, 2)
  return { partitions: flat(value.assignedPartitions), userData: value.userData }
}

function versionOf(bytes: Uint8Array, what: string): number {
  const version = bytes.length < 2 ? -1 : (bytes[0]! << 8) | bytes[1]!
  if (version < 0) throw new KafkaError(ErrorCode.INVALID_REQUEST, `a member's ${what} has no version`)
  return Math.min(version, VERSION_MAX)
}

function prefixed(version: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + body.length)
  bytes[1] = version
  bytes.set(body, 2)
  return bytes
}

const byTopic = (partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))

const flat = (topics: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
