/**
 * DescribeLogDirs (key 35): sizes and lags of the replicas in this broker's log directories (KIP-113).
 *
 * v1 the oldest since Kafka 4.0 · v2 flexible · v3 a top-level error (KIP-784) · v4 total and usable bytes (KIP-827) ·
 * v5 whether the directory is cordoned (KIP-1066).
 *
 * Errors: LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int32s, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeLogDirs = api(
  "DescribeLogDirs",
  {
    topics: structs(
      "0+",
      { nullable: "0+" },
      {
        topic: string("0+"),
        partitions: int32s("0+"),
      },
    ),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("3+", { ignorable: true }),
    results: structs("0+", {
      errorCode: int16("0+"),
      logDir: string("0+"),
      topics: structs("0+", {
        name: string("0+"),
        partitions: structs("0+", {
          partitionIndex: int32("0+"),
          partitionSize: int64("0+"),
          offsetLag: int64("0+"),
          isFutureKey: bool("0+"),
        }),
      }),
      totalBytes: int64("4+", { default: -1, ignorable: true }),
      usableBytes: int64("4+", { default: -1, ignorable: true }),
      isCordoned: bool("5+", { default: false, ignorable: true }),
    }),
  },
)

export type DescribeLogDirsRequest = Decoded<typeof DescribeLogDirs.request>
export type DescribeLogDirsResponse = Decoded<typeof DescribeLogDirs.response>
