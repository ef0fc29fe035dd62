/**
 * UnregisterBroker (key 64): forgets a broker that will not come back (KIP-631).
 *
 * Errors: BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER, REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const UnregisterBroker = api(
  "UnregisterBroker",
  {
    brokerId: int32("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
  },
)

export type UnregisterBrokerRequest = Decoded<typeof UnregisterBroker.request>
export type UnregisterBrokerResponse = Decoded<typeof UnregisterBroker.response>
