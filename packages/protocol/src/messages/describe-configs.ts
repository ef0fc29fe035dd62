/**
 * DescribeConfigs (key 32): values, sources, types and documentation of configs of topics, brokers, groups (KIP-133).
 *
 * v1 synonyms and sources (KIP-226) · v3 type and documentation (KIP-569) · v4 flexible. `configurationKeys` null asks for
 * all. A sensitive value comes back null.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, INVALID_TOPIC_EXCEPTION, TOPIC_AUTHORIZATION_FAILED,
 * CLUSTER_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int8, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DescribeConfigs = api(
  "DescribeConfigs",
  {
    resources: structs("0+", {
      resourceType: int8("0+"),
      resourceName: string("0+"),
      configurationKeys: strings("0+", { nullable: "0+" }),
    }),
    includeSynonyms: bool("1+", { default: false }),
    includeDocumentation: bool("3+", { default: false }),
  },
  {
    throttleTimeMs: int32("0+"),
    results: structs("0+", {
      errorCode: int16("0+"),
      errorMessage: string("0+", { nullable: "0+" }),
      resourceType: int8("0+"),
      resourceName: string("0+"),
      configs: structs("0+", {
        name: string("0+"),
        value: string("0+", { nullable: "0+" }),
        readOnly: bool("0+"),
        configSource: int8("1+", { default: -1, ignorable: true }),
        isSensitive: bool("0+"),
        synonyms: structs(
          "1+",
          { ignorable: true },
          {
            name: string("1+"),
            value: string("1+", { nullable: "0+" }),
            source: int8("1+"),
          },
        ),
        configType: int8("3+", { default: 0, ignorable: true }),
        documentation: string("3+", { nullable: "0+", ignorable: true }),
      }),
    }),
  },
)

export type DescribeConfigsRequest = Decoded<typeof DescribeConfigs.request>
export type DescribeConfigsResponse = Decoded<typeof DescribeConfigs.response>
