/**
 * A snapshot of the metadata: `<end offset>-<epoch>.checkpoint`, the image as the shortest list of records that makes
 * it. Read instead of the log up to its end offset.
 *
 *   control batch: SnapshotHeader [KRaftVersion Voters] | data batches: records | control batch: SnapshotFooter
 */
import { encode } from "@millrace/protocol"
import { batches } from "@millrace/protocol/record/batch"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { ControlType, controlBatch } from "@millrace/protocol/record/control"
import { RecordReader } from "@millrace/protocol/record/record"
import { SnapshotFooterRecord, SnapshotHeaderRecord } from "@millrace/protocol/records/snapshot"
import { KRaftVersionRecord, VotersRecord } from "@millrace/protocol/records/voters"
import { ConfigResourceType, type MetadataImage } from "./image.ts"
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from "./records.ts"

/** Records in one batch of a snapshot. */
const BATCH_RECORDS_MAX = 1000

export interface SnapshotId {
  /** One past the last offset it covers. */
  readonly endOffset: number
  readonly epoch: number
}

export interface Voter {
  readonly voterId: number
  readonly voterDirectoryId: string
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[]
}

export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, "0")}-${String(epoch).padStart(10, "0")}.checkpoint`
}

export function parseSnapshotName(name: string): SnapshotId | undefined {
  const match = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name)
  return match ? { endOffset: Number(match[1]), epoch: Number(match[2]) } : undefined
}

/** The records that rebuild an image, in an order in which each finds what it names. */
export function imageRecords(image: MetadataImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const [name, featureLevel] of image.features()) {
    records.push({ type: "FeatureLevelRecord", data: { name, featureLevel } })
  }
  for (const broker of image.brokers()) {
    records.push({ type: "RegisterBrokerRecord", data: { ...broker.registration, fenced: broker.fenced } })
  }
  for (const { name, topicId, partitions } of image.topics()) {
    records.push({ type: "TopicRecord", data: { name, topicId } })
    for (const { index, ...partition } of partitions) {
      records.push({
        type: "PartitionRecord",
        data: {
          ...partition,
          partitionId: index,
          topicId,
          removingReplicas: [],
          addingReplicas: [],
          leaderRecoveryState: 0,
          eligibleLeaderReplicas: null,
          lastKnownElr: null,
        },
      })
    }
  }
  for (const resourceType of [ConfigResourceType.TOPIC, ConfigResourceType.BROKER, ConfigResourceType.GROUP]) {
    for (const resourceName of image.configuredResources(resourceType)) {
      for (const [name, value] of Object.entries(image.configs(resourceType, resourceName))) {
        records.push({ type: "ConfigRecord", data: { resourceType, resourceName, name, value } })
      }
    }
  }
  for (const user of image.scramUsers())
    for (const data of image.scramCredentials(user)) records.push({ type: "UserScramCredentialRecord", data })
  for (const data of image.delegationTokens()) records.push({ type: "DelegationTokenRecord", data })
  for (const { entity, values } of image.quotas.all()) {
    const parts = [...entity].map(([entityType, entityName]) => ({ entityType, entityName }))
    for (const [key, value] of values)
      records.push({ type: "ClientQuotaRecord", data: { entity: parts, key, value, remove: false } })
  }
  for (const acl of image.acls.all()) records.push({ type: "AccessControlEntryRecord", data: acl })
  if (image.nextProducerId > 0) {
    const data = { brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId }
    records.push({ type: "ProducerIdsRecord", data })
  }
  return records
}

export function encodeSnapshot(
  image: MetadataImage,
  voters: readonly Voter[],
  epoch: number,
  timestamp: number,
): Uint8Array[] {
  let baseOffset = 0
  const chunks: Uint8Array[] = []
  const control = (records: Parameters<typeof controlBatch>[2]) => {
    chunks.push(controlBatch({ baseOffset, partitionLeaderEpoch: epoch }, timestamp, records))
    baseOffset += records.length
  }
  control([
    [
      ControlType.SNAPSHOT_HEADER,
      encode(SnapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp: timestamp }),
    ],
    [ControlType.KRAFT_VERSION, encode(KRaftVersionRecord, 0, { version: 0, kRaftVersion: 1 })],
    [ControlType.KRAFT_VOTERS, encodeVoters(voters)],
  ])
  const records = imageRecords(image)
  for (let first = 0; first < records.length; first += BATCH_RECORDS_MAX) {
    const part = records.slice(first, first + BATCH_RECORDS_MAX)
    chunks.push(metadataBatch(part, baseOffset, epoch, timestamp))
    baseOffset += part.length
  }
  control([[ControlType.SNAPSHOT_FOOTER, encode(SnapshotFooterRecord, 0, { version: 0 })]])
  return chunks
}

export function encodeVoters(voters: readonly Voter[]): Uint8Array {
  return encode(VotersRecord, 0, {
    version: 0,
    voters: voters.map(({ voterId, voterDirectoryId, endpoints }) => ({
      voterId,
      voterDirectoryId,
      endpoints: endpoints.map((endpoint) => ({ ...endpoint })),
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
    })),
  })
}

export function metadataBatch(
  records: readonly MetadataRecord[],
  baseOffset: number,
  partitionLeaderEpoch: number,
  timestamp: number,
): Uint8Array {
  const builder = new RecordBatchBuilder({ baseOffset, partitionLeaderEpoch })
  for (const record of records) builder.append(timestamp, null, encodeMetadataRecord(record))
  return builder.build()
}

/** Hands every metadata record of a run of batches to `sink`, with its offset and epoch. Control batches are skipped. */
export function readMetadata(
  bytes: Uint8Array,
  sink: (record: MetadataRecord, offset: number, epoch: number) => void,
): void {
  for (const batch of batches(bytes)) {
    if (batch.isControl) continue
    const reader = new RecordReader(batch)
    while (reader.next()) {
      const value = reader.value()
      if (value !== null) sink(decodeMetadataRecord(value), reader.offset, batch.partitionLeaderEpoch)
    }
  }
}

/** Whether a file is a whole snapshot: all batches sound, a header first and a footer last. */
export function isCompleteSnapshot(bytes: Uint8Array): boolean {
  let size = 0
  let lastIsControl = false
  for (const batch of batches(bytes)) {
    if (!batch.isValidCrc()) return false
    if (size === 0 && !batch.isControl) return false
    size += batch.sizeInBytes
    lastIsControl = batch.isControl && size > batch.sizeInBytes
  }
  return lastIsControl && size === bytes.length
}
