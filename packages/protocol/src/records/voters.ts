/**
 * Control records of a KRaft log: the protocol level and the set of voters with their endpoints (KIP-853).
 */
import { int16, int32, string, struct, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const KRaftVersionRecord = message("KRaftVersionRecord", "0", "0+", {
  version: int16("0+"),
  kRaftVersion: int16("0+"),
})
export type KRaftVersionRecord = Decoded<typeof KRaftVersionRecord>

export const VotersRecord = message("VotersRecord", "0", "0+", {
  version: int16("0+"),
  voters: structs("0+", {
    voterId: int32("0+"),
    voterDirectoryId: uuid("0+"),
    endpoints: structs("0+", {
      name: string("0+"),
      host: string("0+"),
      port: uint16("0+"),
    }),
    kRaftVersionFeature: struct("0+", {
      minSupportedVersion: int16("0+"),
      maxSupportedVersion: int16("0+"),
    }),
  }),
})
export type VotersRecord = Decoded<typeof VotersRecord>
