/**
 * ControllerRegistration (key 70): a controller makes its endpoints and features known to the active one (KIP-919).
 *
 * Errors: NOT_CONTROLLER, INVALID_REGISTRATION, UNSUPPORTED_VERSION, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ControllerRegistration = api(
  "ControllerRegistration",
  {
    controllerId: int32("0+"),
    incarnationId: uuid("0+"),
    zkMigrationReady: bool("0+"),
    listeners: structs("0+", {
      name: string("0+"),
      host: string("0+"),
      port: uint16("0+"),
      securityProtocol: int16("0+"),
    }),
    features: structs("0+", {
      name: string("0+"),
      minSupportedVersion: int16("0+"),
      maxSupportedVersion: int16("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
  },
)

export type ControllerRegistrationRequest = Decoded<typeof ControllerRegistration.request>
export type ControllerRegistrationResponse = Decoded<typeof ControllerRegistration.response>
