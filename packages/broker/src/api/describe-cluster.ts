/**
 * DescribeCluster (key 60), v0-2: the cluster's id, controller and brokers (KIP-700). v1 controllers' endpoints
 * (KIP-919), which this broker does not open · v2 fenced brokers (KIP-1073). Errors: MISMATCHED_ENDPOINT_TYPE,
 * UNSUPPORTED_ENDPOINT_TYPE.
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeCluster } from "@millrace/protocol/messages/describe-cluster"
import { handler } from "./handler.ts"
import { clusterOperations } from "./metadata.ts"

const BROKERS = 1
const CONTROLLERS = 2

export const describeCluster = handler(DescribeCluster, {
  // Kafka lets anyone ask who the brokers are: a client could not connect otherwise.
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle(request, context, services, reply) {
    const { clusterId, nodeId, image } = services
    if (request.endpointType !== BROKERS) {
      const errorCode =
        request.endpointType === CONTROLLERS ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE
      reply({ errorCode, errorMessage: "This listener is a broker's.", clusterId: "", brokers: [] })
      return
    }
    const brokers = request.includeFencedBrokers ? [...image.brokers()] : image.liveBrokers()
    reply({
      errorCode: ErrorCode.NONE,
      clusterId,
      controllerId: nodeId,
      endpointType: BROKERS,
      brokers: brokers.flatMap((broker) => {
        const endpoint = services.endpoint(broker, context)
        if (!endpoint) return []
        const { host, port } = endpoint
        return [{ brokerId: broker.id, host, port, rack: broker.rack, isFenced: broker.fenced }]
      }),
      ...(request.includeClusterAuthorizedOperations
        ? { clusterAuthorizedOperations: clusterOperations(context) }
        : {}),
    })
  },
})
