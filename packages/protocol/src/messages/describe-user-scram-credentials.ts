/**
 * DescribeUserScramCredentials (key 50): which SCRAM mechanisms and iterations users have; never a secret (KIP-554).
 *
 * Mechanisms: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. Users null or empty asks for all.
 *
 * Errors: RESOURCE_NOT_FOUND, DUPLICATE_RESOURCE, NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeUserScramCredentials = api(
  "DescribeUserScramCredentials",
  {
    users: structs(
      "0+",
      { nullable: "0+" },
      {
        name: string("0+"),
      },
    ),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    errorMessage: string("0+", { nullable: "0+" }),
    results: structs("0+", {
      user: string("0+"),
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+" }),
      credentialInfos: structs("0+", {
        mechanism: int8("0+"),
        iterations: int32("0+"),
      }),
    }),
  },
)

export type DescribeUserScramCredentialsRequest = Decoded<typeof DescribeUserScramCredentials.request>
export type DescribeUserScramCredentialsResponse = Decoded<typeof DescribeUserScramCredentials.response>
