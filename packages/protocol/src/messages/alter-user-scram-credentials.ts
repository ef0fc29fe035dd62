/**
 * AlterUserScramCredentials (key 51): sets or removes users' SCRAM credentials, salted by the client (KIP-554).
 *
 * Errors: RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE, UNACCEPTABLE_CREDENTIAL, UNSUPPORTED_SASL_MECHANISM, NOT_CONTROLLER,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { bytes, int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AlterUserScramCredentials = api(
  "AlterUserScramCredentials",
  {
    deletions: structs("0+", {
      name: string("0+"),
      mechanism: int8("0+"),
    }),
    upsertions: structs("0+", {
      name: string("0+"),
      mechanism: int8("0+"),
      iterations: int32("0+"),
      salt: bytes("0+"),
      saltedPassword: bytes("0+"),
    }),
  },
  {
    throttleTimeMs: int32("0+"),
    results: structs("0+", {
      user: string("0+"),
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+" }),
    }),
  },
)

export type AlterUserScramCredentialsRequest = Decoded<typeof AlterUserScramCredentials.request>
export type AlterUserScramCredentialsResponse = Decoded<typeof AlterUserScramCredentials.response>
