/**
 * GetTelemetrySubscriptions (key 71): which metrics the broker wants from this client, and how often (KIP-714).
 *
 * Errors: THROTTLING_QUOTA_EXCEEDED, INVALID_REQUEST, UNSUPPORTED_VERSION.
 */
import { bool, int16, int32, int8s, strings, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const GetTelemetrySubscriptions = api(
  "GetTelemetrySubscriptions",
  {
    clientInstanceId: uuid("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    clientInstanceId: uuid("0+"),
    subscriptionId: int32("0+"),
    acceptedCompressionTypes: int8s("0+"),
    pushIntervalMs: int32("0+"),
    telemetryMaxBytes: int32("0+"),
    deltaTemporality: bool("0+"),
    requestedMetrics: strings("0+"),
  },
)

export type GetTelemetrySubscriptionsRequest = Decoded<typeof GetTelemetrySubscriptions.request>
export type GetTelemetrySubscriptionsResponse = Decoded<typeof GetTelemetrySubscriptions.response>
