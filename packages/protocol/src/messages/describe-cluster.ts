/**
 * DescribeCluster (key 60): cluster id, controller and endpoints (KIP-700).
 *
 * v1 endpoint type 1 brokers or 2 controllers (KIP-919) · v2 fenced brokers too (KIP-1073). Flexible from v0.
 *
 * Errors: UNSUPPORTED_ENDPOINT_TYPE, MISMATCHED_ENDPOINT_TYPE, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeCluster = api(
  "DescribeCluster",
  {
    includeClusterAuthorizedOperations: bool("0+"),
    endpointType: int8("1+", { default: 1 }),
    includeFencedBrokers: bool("2+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+", default: null }),
    endpointType: int8("1+", { default: 1 }),
    clusterId: string("0+"),
    controllerId: int32("0+", { default: -1 }),
    brokers: structs("0+", {
      brokerId: int32("0+"),
      host: string("0+"),
      port: int32("0+"),
      rack: string("0+", { nullable: "0+", default: null }),
      isFenced: bool("2+"),
    }),
    clusterAuthorizedOperations: int32("0+", { default: -2147483648 }),
  },
)

export type DescribeClusterRequest = Decoded<typeof DescribeCluster.request>
export type DescribeClusterResponse = Decoded<typeof DescribeCluster.response>
