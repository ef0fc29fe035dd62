/**
 * The records of consumer groups in `__consumer_offsets`, in Kafka's formats (key types 3, 5, 6, 7, 8 and 16).
 *
 * Type 4, the partitions of subscribed topics, is read over: Kafka writes a hash into the group's record since 4.1.
 */
import { ProtocolError } from "@millrace/protocol"
import {
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from "@millrace/protocol/records/coordinator-record"
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
} from "@millrace/protocol/records/consumer-group"
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from "@millrace/protocol/records/consumer-group-assignment"
import type { RawRecord } from "../../coordinator/shard.ts"
import { type ResolvedRegex } from "./group.ts"
import { type Current, memberStates, type Subscription } from "./member.ts"
import { type Partitions, partitionsOf, topicPartitions } from "./partitions.ts"

export type ConsumerGroupRecord =
  | {
      readonly type: "consumer-group"
      readonly group: string
      readonly value: { readonly groupEpoch: number; readonly metadataHash: number } | null
    }
  | {
      readonly type: "consumer-member"
      readonly group: string
      readonly memberId: string
      readonly value: Subscription | null
    }
  | { readonly type: "consumer-assignment-epoch"; readonly group: string; readonly value: number | null }
  | {
      readonly type: "consumer-target"
      readonly group: string
      readonly memberId: string
      readonly value: Partitions | null
    }
  | {
      readonly type: "consumer-current"
      readonly group: string
      readonly memberId: string
      readonly value: Current | null
    }
  | {
      readonly type: "consumer-regex"
      readonly group: string
      readonly regex: string
      readonly value: ResolvedRegex | null
    }

const version = 0

export function encodeConsumerGroupRecord(record: ConsumerGroupRecord): RawRecord {
  const { group: groupId } = record
  switch (record.type) {
    case "consumer-group":
      return {
        key: encodeCoordinatorKey(ConsumerGroupMetadataKey, { groupId }),
        value:
          record.value &&
          encodeCoordinatorValue(ConsumerGroupMetadataValue, version, {
            epoch: record.value.groupEpoch,
            metadataHash: record.value.metadataHash,
          }),
      }
    case "consumer-member":
      return {
        key: encodeCoordinatorKey(ConsumerGroupMemberMetadataKey, { groupId, memberId: record.memberId }),
        value:
          record.value &&
          encodeCoordinatorValue(ConsumerGroupMemberMetadataValue, version, {
            instanceId: record.value.instanceId,
            rackId: record.value.rackId,
            clientId: record.value.clientId,
            clientHost: record.value.clientHost,
            subscribedTopicNames: [...record.value.topicNames],
            subscribedTopicRegex: record.value.topicRegex,
            rebalanceTimeoutMs: record.value.rebalanceTimeoutMs,
            serverAssignor: record.value.serverAssignor,
            classicMemberMetadata: record.value.classic && {
              sessionTimeoutMs: record.value.classic.sessionTimeoutMs,
              supportedProtocols: [...record.value.classic.protocols],
            },
          }),
      }
    case "consumer-assignment-epoch":
      return {
        key: encodeCoordinatorKey(ConsumerGroupTargetAssignmentMetadataKey, { groupId }),
        value:
          record.value === null
            ? null
            : encodeCoordinatorValue(ConsumerGroupTargetAssignmentMetadataValue, version, {
                assignmentEpoch: record.value,
              }),
      }
    case "consumer-target":
      return {
        key: encodeCoordinatorKey(ConsumerGroupTargetAssignmentMemberKey, { groupId, memberId: record.memberId }),
        value:
          record.value &&
          encodeCoordinatorValue(ConsumerGroupTargetAssignmentMemberValue, version, {
            topicPartitions: topicPartitions(record.value),
          }),
      }
    case "consumer-current":
      return {
        key: encodeCoordinatorKey(ConsumerGroupCurrentMemberAssignmentKey, { groupId, memberId: record.memberId }),
        value: record.value && encodeCurrent(record.value),
      }
    case "consumer-regex":
      return {
        key: encodeCoordinatorKey(ConsumerGroupRegularExpressionKey, { groupId, regularExpression: record.regex }),
        value:
          record.value &&
          encodeCoordinatorValue(ConsumerGroupRegularExpressionValue, version, {
            ...record.value,
            topics: [...record.value.topics],
          }),
      }
  }
}

function encodeCurrent(current: Current): Uint8Array {
  const listed = (set: Partitions) => topicPartitions(set).map((topic) => ({ ...topic, assignmentEpochs: null }))
  return encodeCoordinatorValue(ConsumerGroupCurrentMemberAssignmentValue, version, {
    memberEpoch: current.memberEpoch,
    previousMemberEpoch: current.previousMemberEpoch,
    state: memberStates.indexOf(current.state),
    assignedPartitions: listed(current.assigned),
    partitionsPendingRevocation: listed(current.pendingRevocation),
  })
}

/** Undefined for other types of keys. */
export function decodeConsumerGroupRecord(type: number, { key, value }: RawRecord): ConsumerGroupRecord | undefined {
  switch (type) {
    case ConsumerGroupMetadataKey.key: {
      const { groupId } = decodeCoordinatorKey(ConsumerGroupMetadataKey, key)
      const decoded = value && decodeCoordinatorValue(ConsumerGroupMetadataValue, value)
      return {
        type: "consumer-group",
        group: groupId,
        value: decoded && { groupEpoch: decoded.epoch, metadataHash: decoded.metadataHash },
      }
    }
    case ConsumerGroupMemberMetadataKey.key: {
      const { groupId, memberId } = decodeCoordinatorKey(ConsumerGroupMemberMetadataKey, key)
      return {
        type: "consumer-member",
        group: groupId,
        memberId,
        value: value && decodeSubscription(value),
      }
    }
    case ConsumerGroupTargetAssignmentMetadataKey.key: {
      const { groupId } = decodeCoordinatorKey(ConsumerGroupTargetAssignmentMetadataKey, key)
      const decoded = value && decodeCoordinatorValue(ConsumerGroupTargetAssignmentMetadataValue, value)
      return { type: "consumer-assignment-epoch", group: groupId, value: decoded && decoded.assignmentEpoch }
    }
    case ConsumerGroupTargetAssignmentMemberKey.key: {
      const { groupId, memberId } = decodeCoordinatorKey(ConsumerGroupTargetAssignmentMemberKey, key)
      const decoded = value && decodeCoordinatorValue(ConsumerGroupTargetAssignmentMemberValue, value)
      return {
        type: "consumer-target",
        group: groupId,
        memberId,
        value: decoded && partitionsOf(decoded.topicPartitions),
      }
    }
    case ConsumerGroupCurrentMemberAssignmentKey.key: {
      const { groupId, memberId } = decodeCoordinatorKey(ConsumerGroupCurrentMemberAssignmentKey, key)
      return { type: "consumer-current", group: groupId, memberId, value: value && decodeCurrent(value) }
    }
    case ConsumerGroupRegularExpressionKey.key: {
      const { groupId, regularExpression } = decodeCoordinatorKey(ConsumerGroupRegularExpressionKey, key)
      const decoded = value && decodeCoordinatorValue(ConsumerGroupRegularExpressionValue, value)
      return { type: "consumer-regex", group: groupId, regex: regularExpression, value: decoded }
    }
    default:
      return undefined
  }
}

function decodeSubscription(value: Uint8Array): Subscription {
  const { subscribedTopicNames, subscribedTopicRegex, classicMemberMetadata, ...rest } = decodeCoordinatorValue(
    ConsumerGroupMemberMetadataValue,
    value,
  )
  const classic = classicMemberMetadata && {
    sessionTimeoutMs: classicMemberMetadata.sessionTimeoutMs,
    // Decoded byte fields are views of the read buffer, which state must not keep alive.
    protocols: classicMemberMetadata.supportedProtocols.map(({ name, metadata }) => ({
      name,
      metadata: Uint8Array.from(metadata),
    })),
  }
  return { ...rest, topicNames: subscribedTopicNames, topicRegex: subscribedTopicRegex, classic }
}

function decodeCurrent(value: Uint8Array): Current {
  const decoded = decodeCoordinatorValue(ConsumerGroupCurrentMemberAssignmentValue, value)
  const state = memberStates[decoded.state]
  if (state === undefined) {
    throw new ProtocolError(
      ConsumerGroupCurrentMemberAssignmentValue.name,
      version,
      "state",
      0,
      `there is no state ${decoded.state}`,
    )
  }
  return {
    memberEpoch: decoded.memberEpoch,
    previousMemberEpoch: decoded.previousMemberEpoch,
    state,
    assigned: partitionsOf(decoded.assignedPartitions),
    pendingRevocation: partitionsOf(decoded.partitionsPendingRevocation),
  }
}
