/**
 * CreateTopics (key 19): creates topics, with a partition count or with explicit replicas, and configs.
 *
 * v4 partitions and replication factor -1 mean the broker's default (KIP-464) · v5 flexible, configs and counts in the
 * reply (KIP-525) · v6 THROTTLING_QUOTA_EXCEEDED (KIP-599) · v7 topic id in the reply (KIP-516).
 *
 * Errors: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
 * INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST, POLICY_VIOLATION, NOT_CONTROLLER, REQUEST_TIMED_OUT,
 * THROTTLING_QUOTA_EXCEEDED, TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, int8, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const CreateTopics = api(
  "CreateTopics",
  {
    topics: structs("0+", {
      name: string("0+"),
      numPartitions: int32("0+"),
      replicationFactor: int16("0+"),
      assignments: structs("0+", {
        partitionIndex: int32("0+"),
        brokerIds: int32s("0+"),
      }),
      configs: structs("0+", {
        name: string("0+"),
        value: string("0+", { nullable: "0+" }),
      }),
    }),
    timeoutMs: int32("0+", { default: 60000 }),
    validateOnly: bool("1+", { default: false }),
  },
  {
    throttleTimeMs: int32("2+", { ignorable: true }),
    topics: structs("0+", {
      name: string("0+"),
      topicId: uuid("7+", { ignorable: true }),
      errorCode: int16("0+"),
      errorMessage: string("1+", { nullable: "0+", ignorable: true }),
      topicConfigErrorCode: int16("5+", { tag: 0, ignorable: true }),
      numPartitions: int32("5+", { default: -1, ignorable: true }),
      replicationFactor: int16("5+", { default: -1, ignorable: true }),
      configs: structs(
        "5+",
        { nullable: "5+", ignorable: true },
        {
          name: string("5+"),
          value: string("5+", { nullable: "5+" }),
          readOnly: bool("5+"),
          configSource: int8("5+", { default: -1, ignorable: true }),
          isSensitive: bool("5+"),
        },
      ),
    }),
  },
)

export type CreateTopicsRequest = Decoded<typeof CreateTopics.request>
export type CreateTopicsResponse = Decoded<typeof CreateTopics.response>
