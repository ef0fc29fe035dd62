/**
 * UnregisterController (key 94): forgets the registration of a controller that will not come back.
 *
 * Errors: CONTROLLER_ID_NOT_REGISTERED, NOT_CONTROLLER, REQUEST_TIMED_OUT, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const UnregisterController = api(
  "UnregisterController",
  {
    controllerId: int32("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
  },
)

export type UnregisterControllerRequest = Decoded<typeof UnregisterController.request>
export type UnregisterControllerResponse = Decoded<typeof UnregisterController.response>
