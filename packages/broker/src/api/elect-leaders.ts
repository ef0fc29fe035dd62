/**
 * ElectLeaders (key 43), v0-2: elects the preferred replica, or an unclean one, as leader of partitions (KIP-183). v1 kinds of
 * election and a top-level error (KIP-460). On one broker the preferred replica leads whatever is led.
 *
 * Errors: per partition ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE,
 * UNKNOWN_TOPIC_OR_PARTITION; of all INVALID_REQUEST (a kind that there is not), CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { ElectLeaders } from "@millrace/protocol/messages/elect-leaders"
import { electLeaders as decide, ElectionType } from "../controller/elections.ts"
import { handler } from "./handler.ts"

const VERSION_ERROR_OF_ALL = 1
const TYPES: ReadonlySet<number> = new Set(Object.values(ElectionType))

export const electLeaders = handler(ElectLeaders, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle(request, context, { image, controller }, reply) {
    const { topicPartitions, electionType } = request
    const refuse = (errorCode: ErrorCode, errorMessage: string) =>
      reply({
        errorCode: context.apiVersion < VERSION_ERROR_OF_ALL ? ErrorCode.NONE : errorCode,
        replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
        })),
      })
    if (!context.may("ALTER", "CLUSTER")) {
      refuse(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, "Cluster authorization failed.")
    } else if (topicPartitions?.length === 0) {
      reply({ errorCode: ErrorCode.NONE, replicaElectionResults: [] })
    } else if (!TYPES.has(electionType)) {
      refuse(ErrorCode.INVALID_REQUEST, `There is no kind of election ${electionType}.`)
    } else {
      reply({
        errorCode: ErrorCode.NONE,
        replicaElectionResults: controller.commit(decide(image, request)),
      })
    }
  },
})
