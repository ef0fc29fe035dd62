/**
 * BrokerRegistration (key 62): a starting broker makes itself known to the controller and gets its epoch (KIP-631).
 *
 * v1 ZooKeeper migration (over) · v2 log directories (KIP-858) · v3 previous broker epoch (KIP-966) · v4 features whose
 * minimum is 0 (KAFKA-17011).
 *
 * Errors: DUPLICATE_BROKER_REGISTRATION, INCONSISTENT_CLUSTER_ID, INVALID_REGISTRATION, UNSUPPORTED_VERSION,
 * NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int64, string, structs, uint16, uuid, uuids } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const BrokerRegistration = api(
  "BrokerRegistration",
  {
    brokerId: int32("0+"),
    clusterId: string("0+"),
    incarnationId: uuid("0+"),
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
    rack: string("0+", { nullable: "0+" }),
    isMigratingZkBroker: bool("1+", { default: false }),
    logDirs: uuids("2+", { ignorable: true }),
    previousBrokerEpoch: int64("3+", { default: -1, ignorable: true }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    brokerEpoch: int64("0+", { default: -1 }),
  },
)

export type BrokerRegistrationRequest = Decoded<typeof BrokerRegistration.request>
export type BrokerRegistrationResponse = Decoded<typeof BrokerRegistration.response>
