/**
 * The record types of `__cluster_metadata` and their framing.
 *
 *   value = frame version (varint, 1) | record type (varint) | type version (varint) | body
 *
 * The versions written are those of metadata.version 4.0-IV3, so that Kafka's tools read them.
 */
import { type Decoded, decode, encode, type Message, ZERO_UUID } from "@millrace/protocol"
import {
  BrokerRegistrationChangeRecord,
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
} from "@millrace/protocol/records/broker-registration"
import {
  AccessControlEntryRecord,
  RemoveAccessControlEntryRecord,
} from "@millrace/protocol/records/access-control-entry"
import { ClientQuotaRecord } from "@millrace/protocol/records/client-quota"
import { ConfigRecord } from "@millrace/protocol/records/config"
import { RegisterControllerRecord } from "@millrace/protocol/records/controller-registration"
import { DelegationTokenRecord, RemoveDelegationTokenRecord } from "@millrace/protocol/records/delegation-token"
import { FeatureLevelRecord } from "@millrace/protocol/records/feature-level"
import { BeginTransactionRecord, EndTransactionRecord } from "@millrace/protocol/records/metadata-transaction"
import { NoOpRecord } from "@millrace/protocol/records/no-op"
import { PartitionChangeRecord, PartitionRecord } from "@millrace/protocol/records/partition"
import { ProducerIdsRecord } from "@millrace/protocol/records/producer-ids"
import { RemoveUserScramCredentialRecord, UserScramCredentialRecord } from "@millrace/protocol/records/scram-credential"
import { RemoveTopicRecord, TopicRecord } from "@millrace/protocol/records/topic"

/** What a replica's directory is before its broker has chosen one (KIP-858). */
export const DIRECTORY_UNASSIGNED = ZERO_UUID

const FRAME_VERSION = 1

/** Record type on disk and the version written. */
const types = {
  RegisterBrokerRecord: { key: 0, version: 3, message: RegisterBrokerRecord },
  UnregisterBrokerRecord: { key: 1, version: 0, message: UnregisterBrokerRecord },
  TopicRecord: { key: 2, version: 0, message: TopicRecord },
  PartitionRecord: { key: 3, version: 1, message: PartitionRecord },
  ConfigRecord: { key: 4, version: 0, message: ConfigRecord },
  PartitionChangeRecord: { key: 5, version: 1, message: PartitionChangeRecord },
  RemoveTopicRecord: { key: 9, version: 0, message: RemoveTopicRecord },
  DelegationTokenRecord: { key: 10, version: 0, message: DelegationTokenRecord },
  UserScramCredentialRecord: { key: 11, version: 0, message: UserScramCredentialRecord },
  FeatureLevelRecord: { key: 12, version: 0, message: FeatureLevelRecord },
  ClientQuotaRecord: { key: 14, version: 0, message: ClientQuotaRecord },
  ProducerIdsRecord: { key: 15, version: 0, message: ProducerIdsRecord },
  BrokerRegistrationChangeRecord: { key: 17, version: 2, message: BrokerRegistrationChangeRecord },
  AccessControlEntryRecord: { key: 18, version: 0, message: AccessControlEntryRecord },
  RemoveAccessControlEntryRecord: { key: 19, version: 0, message: RemoveAccessControlEntryRecord },
  NoOpRecord: { key: 20, version: 0, message: NoOpRecord },
  RemoveUserScramCredentialRecord: { key: 22, version: 0, message: RemoveUserScramCredentialRecord },
  BeginTransactionRecord: { key: 23, version: 0, message: BeginTransactionRecord },
  EndTransactionRecord: { key: 24, version: 0, message: EndTransactionRecord },
  RemoveDelegationTokenRecord: { key: 26, version: 0, message: RemoveDelegationTokenRecord },
  RegisterControllerRecord: { key: 27, version: 0, message: RegisterControllerRecord },
} as const

export type MetadataRecordType = keyof typeof types
export type MetadataRecord = {
  [T in MetadataRecordType]: { readonly type: T; readonly data: Decoded<(typeof types)[T]["message"]> }
}[MetadataRecordType]

const byKey = new Map<number, MetadataRecordType>()
for (const [type, { key }] of Object.entries(types)) byKey.set(key, type as MetadataRecordType)

/** The value of the data record that holds this metadata record. */
export function encodeMetadataRecord({ type, data }: MetadataRecord): Uint8Array {
  const { key, version, message } = types[type]
  const body = encode(message as Message, version, data)
  // Types and versions are below 128: one byte each as a varint.
  const framed = new Uint8Array(3 + body.length)
  framed.set([FRAME_VERSION, key, version])
  framed.set(body, 3)
  return framed
}

/** Throws a RangeError for what a newer version wrote: metadata that is half understood must not be served. */
export function decodeMetadataRecord(value: Uint8Array): MetadataRecord {
  const [frameVersion, key, version] = value
  if (frameVersion !== FRAME_VERSION || version === undefined) {
    throw new RangeError(`a metadata record has frame version ${frameVersion}; this broker knows ${FRAME_VERSION}`)
  }
  const type = byKey.get(key!)
  if (type === undefined)
    throw new RangeError(`the metadata log holds record type ${key}, which this broker does not know`)
  const data = decode(types[type].message as Message, version, value, 3) as unknown
  return { type, data } as MetadataRecord
}
