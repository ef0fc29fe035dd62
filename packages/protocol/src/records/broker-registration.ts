/**
 * Metadata records of a broker's life: registration with its endpoints and features, fencing, leaving.
 *
 * RegisterBrokerRecord v1 in controlled shutdown · v2 ZooKeeper migration (over) · v3 log directories (KIP-858) · v4
 * cordoned directories (KIP-1066). FenceBrokerRecord and UnfenceBrokerRecord are of old metadata versions; since then
 * BrokerRegistrationChangeRecord says it.
 */
import { bool, int16, int32, int64, int8, string, structs, uint16, uuid, uuids } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const RegisterBrokerRecord = record(0, "RegisterBrokerRecord", "0-4", "0+", {
  brokerId: int32("0+"),
  isMigratingZkBroker: bool("2+", { default: false }),
  incarnationId: uuid("0+"),
  brokerEpoch: int64("0+"),
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
  rack: string("0+", { nullable: "0+" }),
  fenced: bool("0+", { default: true }),
  inControlledShutdown: bool("1+", { default: false }),
  logDirs: uuids("3+", { tag: 0 }),
  cordonedLogDirs: uuids("4+", { nullable: "4+", default: null, tag: 1 }),
})
export type RegisterBrokerRecord = Decoded<typeof RegisterBrokerRecord>

export const UnregisterBrokerRecord = record(1, "UnregisterBrokerRecord", "0", "0+", {
  brokerId: int32("0+"),
  brokerEpoch: int64("0+"),
})
export type UnregisterBrokerRecord = Decoded<typeof UnregisterBrokerRecord>

export const FenceBrokerRecord = record(7, "FenceBrokerRecord", "0", "0+", {
  id: int32("0+"),
  epoch: int64("0+"),
})
export type FenceBrokerRecord = Decoded<typeof FenceBrokerRecord>

export const UnfenceBrokerRecord = record(8, "UnfenceBrokerRecord", "0", "0+", {
  id: int32("0+"),
  epoch: int64("0+"),
})
export type UnfenceBrokerRecord = Decoded<typeof UnfenceBrokerRecord>

export const BrokerRegistrationChangeRecord = record(17, "BrokerRegistrationChangeRecord", "0-3", "0+", {
  brokerId: int32("0+"),
  brokerEpoch: int64("0+"),
  fenced: int8("0+", { tag: 0 }),
  inControlledShutdown: int8("1+", { tag: 1 }),
  logDirs: uuids("2+", { tag: 2 }),
  cordonedLogDirs: uuids("3+", { nullable: "3+", default: null, tag: 3 }),
})
export type BrokerRegistrationChangeRecord = Decoded<typeof BrokerRegistrationChangeRecord>
