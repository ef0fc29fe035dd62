/**
 * The records of `__consumer_offsets`, in Kafka's formats, so that Kafka's own tools read the topic.
 *
 *   key    type int16 | OffsetCommitKey (types 0 and 1) or GroupMetadataKey (type 2)
 *   value  version int16 | OffsetCommitValue or GroupMetadataValue; a null value deletes
 *
 * Those of consumer and streams groups are in consumer/records.ts and streams/records.ts. Keys of other types belong to group protocols that this broker
 * does not serve: they are skipped.
 */
import {
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from "@millrace/protocol/records/coordinator-record"
import { GroupMetadataKey, GroupMetadataValue } from "@millrace/protocol/records/group-metadata"
import { LegacyOffsetCommitKey, OffsetCommitKey, OffsetCommitValue } from "@millrace/protocol/records/offset-commit"
import type { RawRecord } from "../coordinator/shard.ts"
import { type ConsumerGroupRecord, decodeConsumerGroupRecord, encodeConsumerGroupRecord } from "./consumer/records.ts"
import { decodeStreamsGroupRecord, encodeStreamsGroupRecord, type StreamsGroupRecord } from "./streams/records.ts"

/** A committed offset, as OffsetCommitValue keeps it. */
export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
  /** When it expires, or -1: then the group's retention decides. */
  readonly expireTimestamp: number
  readonly topicId: string
}

/** A group's last settled generation, as GroupMetadataValue keeps it. */
export interface GroupMetadata {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  readonly currentStateTimestamp: number
  readonly members: readonly GroupMetadataMember[]
}

export interface GroupMetadataMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeout: number
  readonly sessionTimeout: number
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}

export type GroupRecord =
  | {
      readonly type: "offset-commit"
      readonly group: string
      readonly topic: string
      readonly partition: number
      readonly value: CommittedOffset | null
    }
  | { readonly type: "group-metadata"; readonly group: string; readonly value: GroupMetadata | null }
  | ConsumerGroupRecord
  | StreamsGroupRecord

/** v4 is flexible and carries the topic id; an explicit expiry exists in v1 alone. */
const offsetCommitValueVersion = 4
const expiringOffsetCommitValueVersion = 1
/** v3 knows static members. v4 only changes the encoding, and older brokers could not read it back. */
const groupMetadataValueVersion = 3

export const isStreamsRecord = (record: GroupRecord): record is StreamsGroupRecord => record.type.startsWith("streams-")

export function encodeGroupRecord(record: GroupRecord): RawRecord {
  if (record.type === "group-metadata") {
    const { group, value } = record
    return {
      key: encodeCoordinatorKey(GroupMetadataKey, { group }),
      value:
        value === null
          ? null
          : encodeCoordinatorValue(GroupMetadataValue, groupMetadataValueVersion, {
              ...value,
              members: [...value.members],
            }),
    }
  }
  if (isStreamsRecord(record)) return encodeStreamsGroupRecord(record)
  if (record.type !== "offset-commit") return encodeConsumerGroupRecord(record)
  const { group, topic, partition, value } = record
  const expires = value !== null && value.expireTimestamp >= 0
  const version = expires ? expiringOffsetCommitValueVersion : offsetCommitValueVersion
  return {
    key: encodeCoordinatorKey(OffsetCommitKey, { group, topic, partition }),
    value: value === null ? null : encodeCoordinatorValue(OffsetCommitValue, version, value),
  }
}

export function decodeGroupRecord({ key, value }: RawRecord): GroupRecord | undefined {
  const type = coordinatorRecordType(key)
  switch (type) {
    case LegacyOffsetCommitKey.key:
    case OffsetCommitKey.key:
      return {
        type: "offset-commit",
        ...decodeCoordinatorKey(OffsetCommitKey, key),
        value: value === null ? null : decodeCoordinatorValue(OffsetCommitValue, value),
      }
    case GroupMetadataKey.key: {
      const { group } = decodeCoordinatorKey(GroupMetadataKey, key)
      return { type: "group-metadata", group, value: value === null ? null : decodeGroupMetadata(value) }
    }
    default:
      return decodeConsumerGroupRecord(type, { key, value }) ?? decodeStreamsGroupRecord(type, { key, value })
  }
}

function decodeGroupMetadata(value: Uint8Array): GroupMetadata {
  const metadata = decodeCoordinatorValue(GroupMetadataValue, value)
  return {
    ...metadata,
    members: metadata.members.map((member) => ({
      ...member,
      // v0 has no rebalance timeout: the session timeout stands for it.
      rebalanceTimeout: member.rebalanceTimeout < 0 ? member.sessionTimeout : member.rebalanceTimeout,
      // Decoded byte fields are views of the read buffer, which state must not keep alive.
      subscription: Uint8Array.from(member.subscription),
      assignment: Uint8Array.from(member.assignment),
    })),
  }
}
