/**
 * UpdateFeatures (key 57): raises or lowers the finalized levels of features (KIP-584).
 *
 * v1 upgrade types and validateOnly (KIP-778) · v2 all updates succeed or none, so one error for all.
 * Upgrade types: 1 upgrade, 2 safe downgrade, 3 unsafe downgrade.
 *
 * Errors: FEATURE_UPDATE_FAILED, INVALID_UPDATE_VERSION, INVALID_REQUEST, NOT_CONTROLLER, REQUEST_TIMED_OUT,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const UpdateFeatures = api(
  "UpdateFeatures",
  {
    timeoutMs: int32("0+", { default: 60000 }),
    featureUpdates: structs("0+", {
      feature: string("0+"),
      maxVersionLevel: int16("0+"),
      allowDowngrade: bool("0"),
      upgradeType: int8("1+", { default: 1 }),
    }),
    validateOnly: bool("1+", { default: false }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    results: structs(
      "0-1",
      { ignorable: true },
      {
        feature: string("0+"),
        errorCode: int16("0+"),
        errorMessage: string("0+", { nullable: "0+" }),
      },
    ),
  },
)

export type UpdateFeaturesRequest = Decoded<typeof UpdateFeatures.request>
export type UpdateFeaturesResponse = Decoded<typeof UpdateFeatures.response>
