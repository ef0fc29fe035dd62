/**
 * ApiVersions (key 18): the first request of a connection: which APIs in which versions, and the cluster's features.
 *
 * v1 throttle time · v3 flexible, client software name and version (KIP-511), features (KIP-584) · v4 may list features
 * whose minimum is 0 (older clients could not parse them, KAFKA-17011) · v5 the cluster and node that the client means
 * to talk to (KIP-1242). The response header is v0 in all versions, and an unknown version is answered with a v0 body,
 * UNSUPPORTED_VERSION and the range of this key.
 *
 * Errors: UNSUPPORTED_VERSION, INVALID_REQUEST (client name or version not of [a-zA-Z0-9][a-zA-Z0-9.-]*),
 * REBOOTSTRAP_REQUIRED (5).
 */
import { bool, int16, int32, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const ApiVersions = api(
  "ApiVersions",
  {
    clientSoftwareName: string("3+", { ignorable: true }),
    clientSoftwareVersion: string("3+", { ignorable: true }),
    clusterId: string("5+", { nullable: "5+", default: null, ignorable: true }),
    nodeId: int32("5+", { default: -1, ignorable: true }),
  },
  {
    errorCode: int16("0+"),
    apiKeys: structs("0+", {
      apiKey: int16("0+"),
      minVersion: int16("0+"),
      maxVersion: int16("0+"),
    }),
    throttleTimeMs: int32("1+", { ignorable: true }),
    supportedFeatures: structs(
      "3+",
      { tag: 0, ignorable: true },
      {
        name: string("3+"),
        minVersion: int16("3+"),
        maxVersion: int16("3+"),
      },
    ),
    finalizedFeaturesEpoch: int64("3+", { default: -1, tag: 1, ignorable: true }),
    finalizedFeatures: structs(
      "3+",
      { tag: 2, ignorable: true },
      {
        name: string("3+"),
        maxVersionLevel: int16("3+"),
        minVersionLevel: int16("3+"),
      },
    ),
    zkMigrationReady: bool("3+", { default: false, tag: 3, ignorable: true }),
  },
)

export type ApiVersionsRequest = Decoded<typeof ApiVersions.request>
export type ApiVersionsResponse = Decoded<typeof ApiVersions.response>
