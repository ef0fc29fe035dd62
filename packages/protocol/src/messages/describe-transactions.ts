/**
 * DescribeTransactions (key 65): state, producer and partitions of transactional ids (KIP-664).
 *
 * Errors: TRANSACTIONAL_ID_NOT_FOUND, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED. Topics that the caller may not see are left out.
 */
import { int16, int32, int32s, int64, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeTransactions = api(
  "DescribeTransactions",
  {
    transactionalIds: strings("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    transactionStates: structs("0+", {
      errorCode: int16("0+"),
      transactionalId: string("0+"),
      transactionState: string("0+"),
      transactionTimeoutMs: int32("0+"),
      transactionStartTimeMs: int64("0+"),
      producerId: int64("0+"),
      producerEpoch: int16("0+"),
      topics: structs("0+", {
        topic: string("0+"),
        partitions: int32s("0+"),
      }),
    }),
  },
)

export type DescribeTransactionsRequest = Decoded<typeof DescribeTransactions.request>
export type DescribeTransactionsResponse = Decoded<typeof DescribeTransactions.response>
