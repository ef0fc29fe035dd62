/**
 * Metadata (key 3): brokers, and for topics their partitions, leaders, replicas and ids.
 *
 * An empty topic list asks for all topics in v0 and for none later, where null means all. v1 rack and controller ·
 * v2 clusterId · v4 allowAutoTopicCreation · v5 offline replicas (KIP-112) · v7 leader epoch (KIP-320) · v8 authorized
 * operations (KIP-430; the cluster's end with v10) · v9 flexible · v10 topic ids (KIP-516) · v12 topics asked by id ·
 * v13 a top-level error, which can tell a client to bootstrap again (KIP-1102).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, LEADER_NOT_AVAILABLE, LISTENER_NOT_FOUND,
 * INVALID_TOPIC_EXCEPTION, REPLICA_NOT_AVAILABLE, TOPIC_AUTHORIZATION_FAILED, REBOOTSTRAP_REQUIRED (13).
 */
import { bool, int16, int32, int32s, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const Metadata = api(
  "Metadata",
  {
    topics: structs(
      "0+",
      { nullable: "1+" },
      {
        topicId: uuid("10+", { ignorable: true }),
        name: string("0+", { nullable: "10+" }),
      },
    ),
    allowAutoTopicCreation: bool("4+", { default: true }),
    includeClusterAuthorizedOperations: bool("8-10"),
    includeTopicAuthorizedOperations: bool("8+"),
  },
  {
    throttleTimeMs: int32("3+", { ignorable: true }),
    brokers: structs("0+", {
      nodeId: int32("0+"),
      host: string("0+"),
      port: int32("0+"),
      rack: string("1+", { nullable: "1+", default: null, ignorable: true }),
    }),
    clusterId: string("2+", { nullable: "2+", default: null, ignorable: true }),
    controllerId: int32("1+", { default: -1, ignorable: true }),
    topics: structs("0+", {
      errorCode: int16("0+"),
      name: string("0+", { nullable: "12+" }),
      topicId: uuid("10+", { ignorable: true }),
      isInternal: bool("1+", { default: false, ignorable: true }),
      partitions: structs("0+", {
        errorCode: int16("0+"),
        partitionIndex: int32("0+"),
        leaderId: int32("0+"),
        leaderEpoch: int32("7+", { default: -1, ignorable: true }),
        replicaNodes: int32s("0+"),
        isrNodes: int32s("0+"),
        offlineReplicas: int32s("5+", { ignorable: true }),
      }),
      topicAuthorizedOperations: int32("8+", { default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32("8-10", { default: -2147483648 }),
    errorCode: int16("13+", { ignorable: true }),
  },
)

export type MetadataRequest = Decoded<typeof Metadata.request>
export type MetadataResponse = Decoded<typeof Metadata.response>
