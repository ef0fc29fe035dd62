/**
 * Decisions about brokers: registration at a start, and what it means for the partitions it leads.
 */
import { PROTOCOL_NUMBERS, type SecurityProtocol } from "../security/protocol.ts"
import type { BrokerEndpoint, MetadataImage } from "./image.ts"
import { supportedFeatures } from "./features.ts"
import type { MetadataRecord } from "./records.ts"

export interface Registration {
  readonly brokerId: number
  readonly incarnationId: string
  readonly endpoints: readonly (BrokerEndpoint & { readonly protocol: SecurityProtocol })[]
  readonly rack: string | null
  readonly directoryId: string
  /** Whether all it had acknowledged is sure to be on its disk. */
  readonly cleanShutdown: boolean
}

/**
 * Registers a started broker under the offset its record will get. After an unclean stop each partition it leads gets
 * a new leader epoch: what it lost of the old epoch must not be taken for what it writes from now on.
 */
export function registerBroker(image: MetadataImage, registration: Registration, nextOffset: number): MetadataRecord[] {
  const { brokerId, incarnationId, endpoints, rack, directoryId, cleanShutdown } = registration
  const records: MetadataRecord[] = [
    {
      type: "RegisterBrokerRecord",
      data: {
        brokerId,
        isMigratingZkBroker: false,
        incarnationId,
        brokerEpoch: nextOffset,
        endPoints: endpoints.map(({ name, host, port, protocol }) => ({
          name,
          host,
          port,
          securityProtocol: PROTOCOL_NUMBERS[protocol],
        })),
        features: supportedFeatures.map(({ name, minLevel, maxLevel }) => ({
          name,
          minSupportedVersion: minLevel,
          maxSupportedVersion: maxLevel,
        })),
        rack,
        fenced: false,
        inControlledShutdown: false,
        logDirs: [directoryId],
        cordonedLogDirs: null,
      },
    },
  ]
  if (cleanShutdown) return records
  for (const topic of image.topics()) {
    for (const { index, leader } of topic.partitions) {
      if (leader !== brokerId) continue
      records.push({
        type: "PartitionChangeRecord",
        data: {
          partitionId: index,
          topicId: topic.topicId,
          isr: null,
          leader,
          replicas: null,
          removingReplicas: null,
          addingReplicas: null,
          leaderRecoveryState: -1,
          directories: null,
          eligibleLeaderReplicas: null,
          lastKnownElr: null,
        },
      })
    }
  }
  return records
}
