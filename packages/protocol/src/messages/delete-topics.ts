/**
 * DeleteTopics (key 20): deletes topics by name, or by id from v6 on.
 *
 * v1 throttle time · v3 TOPIC_DELETION_DISABLED may come back · v4 flexible · v5 error messages, and
 * THROTTLING_QUOTA_EXCEEDED (KIP-599) · v6 topics by name or id (KIP-516).
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, TOPIC_DELETION_DISABLED, INVALID_REQUEST, NOT_CONTROLLER,
 * REQUEST_TIMED_OUT, THROTTLING_QUOTA_EXCEEDED, TOPIC_AUTHORIZATION_FAILED.
 */
import { int16, int32, string, strings, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const DeleteTopics = api(
  "DeleteTopics",
  {
    topics: structs("6+", {
      name: string("6+", { nullable: "6+", default: null }),
      topicId: uuid("6+"),
    }),
    topicNames: strings("0-5", { ignorable: true }),
    timeoutMs: int32("0+"),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    responses: structs("0+", {
      name: string("0+", { nullable: "6+" }),
      topicId: uuid("6+", { ignorable: true }),
      errorCode: int16("0+"),
      errorMessage: string("5+", { nullable: "5+", default: null, ignorable: true }),
    }),
  },
)

export type DeleteTopicsRequest = Decoded<typeof DeleteTopics.request>
export type DeleteTopicsResponse = Decoded<typeof DeleteTopics.response>
