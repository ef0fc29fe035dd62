/** Consumer groups of the newer protocol (KIP-848): their members have epochs, and the broker assigns. */
import { ErrorCode } from "@millrace/protocol"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { kafkaError } from "../errors.ts"
import { PROTOCOL_TYPE } from "../group/protocol.ts"
import type { BrokerConnection } from "../network/connection.ts"
import type { GroupDescription } from "./groups.ts"

const NOTHING = new Uint8Array(0)

/** As the group's coordinator says; undefined when it has none of that protocol. */
export async function describeConsumerGroup(
  connection: BrokerConnection,
  groupId: string,
): Promise<GroupDescription | undefined> {
  // A broker that does not know the protocol has no such group.
  if (!connection.versions.supports(ConsumerGroupDescribe)) return undefined
  const { groups } = await connection.request(ConsumerGroupDescribe, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
  const group = groups[0]!
  const { errorCode } = group
  if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND || errorCode === ErrorCode.UNSUPPORTED_VERSION) return undefined
  if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, `describing group ${groupId}`, group.errorMessage)
  return {
    groupId,
    state: group.groupState,
    type: "consumer",
    protocolType: PROTOCOL_TYPE,
    protocol: group.assignorName,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      host: member.clientHost,
      metadata: NOTHING,
      assignment: NOTHING,
      partitions: member.assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map((partition) => ({ topic: topicName, partition })),
      ),
    })),
  }
}
