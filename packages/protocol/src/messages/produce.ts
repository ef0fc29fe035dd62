/**
 * Produce (key 0): appends record batches to partitions; the reply tells each partition's base offset.
 *
 * v3 is the first with record batches of magic 2 (older ones went away in Kafka 4.0, KIP-896) · v5 logStartOffset ·
 * v7 zstd (KIP-110) · v8 per-record errors (KIP-467) · v9 flexible · v10 current leader in the reply (KIP-951) ·
 * v12 adds the partition to the transaction implicitly (KIP-890 part 2) · v13 topic ids in place of names (KIP-516).
 * With acks 0 no reply is sent at all. Advertised from v0, see `api-keys.ts`.
 *
 * Errors: CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID (13+), MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE,
 * NOT_LEADER_OR_FOLLOWER, INVALID_REQUIRED_ACKS, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE, INVALID_RECORD,
 * NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT, KAFKA_STORAGE_ERROR,
 * OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, CONCURRENT_TRANSACTIONS,
 * TRANSACTION_ABORTABLE (11+), TOPIC_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, records, string, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const Produce = api(
  "Produce",
  {
    transactionalId: string("3+", { nullable: "3+", default: null }),
    acks: int16("0+"),
    timeoutMs: int32("0+"),
    topicData: structs("0+", {
      name: string("0-12", { ignorable: true }),
      topicId: uuid("13+", { ignorable: true }),
      partitionData: structs("0+", {
        index: int32("0+"),
        records: records("0+", { nullable: "0+" }),
      }),
    }),
  },
  {
    responses: structs("0+", {
      name: string("0-12", { ignorable: true }),
      topicId: uuid("13+", { ignorable: true }),
      partitionResponses: structs("0+", {
        index: int32("0+"),
        errorCode: int16("0+"),
        baseOffset: int64("0+"),
        logAppendTimeMs: int64("2+", { default: -1, ignorable: true }),
        logStartOffset: int64("5+", { default: -1, ignorable: true }),
        recordErrors: structs(
          "8+",
          { ignorable: true },
          {
            batchIndex: int32("8+"),
            batchIndexErrorMessage: string("8+", { nullable: "8+", default: null }),
          },
        ),
        errorMessage: string("8+", { nullable: "8+", default: null, ignorable: true }),
        currentLeader: struct(
          "10+",
          { tag: 0 },
          {
            leaderId: int32("10+", { default: -1 }),
            leaderEpoch: int32("10+", { default: -1 }),
          },
        ),
      }),
    }),
    throttleTimeMs: int32("1+", { default: 0, ignorable: true }),
    nodeEndpoints: structs(
      "10+",
      { tag: 0 },
      {
        nodeId: int32("10+"),
        host: string("10+"),
        port: int32("10+"),
        rack: string("10+", { nullable: "10+", default: null }),
      },
    ),
  },
)

export type ProduceRequest = Decoded<typeof Produce.request>
export type ProduceResponse = Decoded<typeof Produce.response>
