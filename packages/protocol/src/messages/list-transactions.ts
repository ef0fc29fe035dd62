/**
 * ListTransactions (key 66): the transactional ids that this broker coordinates, filtered (KIP-664).
 *
 * v1 by duration (KIP-994) · v2 by a pattern of the id (KIP-1152).
 *
 * Errors: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, INVALID_REGULAR_EXPRESSION (2).
 */
import { int16, int32, int64, int64s, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ListTransactions = api(
  "ListTransactions",
  {
    stateFilters: strings("0+"),
    producerIdFilters: int64s("0+"),
    durationFilter: int64("1+", { default: -1 }),
    transactionalIdPattern: string("2+", { nullable: "2+", default: null }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    unknownStateFilters: strings("0+"),
    transactionStates: structs("0+", {
      transactionalId: string("0+"),
      producerId: int64("0+"),
      transactionState: string("0+"),
    }),
  },
)

export type ListTransactionsRequest = Decoded<typeof ListTransactions.request>
export type ListTransactionsResponse = Decoded<typeof ListTransactions.response>
