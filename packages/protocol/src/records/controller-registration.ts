/**
 * Metadata records of a controller's registration: its endpoints and supported features (KIP-919).
 */
import { bool, int16, int32, string, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const RegisterControllerRecord = record(27, "RegisterControllerRecord", "0", "0+", {
  controllerId: int32("0+"),
  incarnationId: uuid("0+"),
  zkMigrationReady: bool("0+"),
  endPoints: structs("0+", {
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
})
export type RegisterControllerRecord = Decoded<typeof RegisterControllerRecord>

export const UnregisterControllerRecord = record(29, "UnregisterControllerRecord", "0", "0+", {
  controllerId: int32("0+"),
})
export type UnregisterControllerRecord = Decoded<typeof UnregisterControllerRecord>
