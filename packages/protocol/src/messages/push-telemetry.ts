/**
 * PushTelemetry (key 72): a client's metrics, in OTLP, compressed as agreed (KIP-714).
 *
 * Errors: UNKNOWN_SUBSCRIPTION_ID, TELEMETRY_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE, THROTTLING_QUOTA_EXCEEDED,
 * INVALID_REQUEST, INVALID_RECORD.
 */
import { bool, bytes, int16, int32, int8, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const PushTelemetry = api(
  "PushTelemetry",
  {
    clientInstanceId: uuid("0+"),
    subscriptionId: int32("0+"),
    terminating: bool("0+"),
    compressionType: int8("0+"),
    metrics: bytes("0+"),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
  },
)

export type PushTelemetryRequest = Decoded<typeof PushTelemetry.request>
export type PushTelemetryResponse = Decoded<typeof PushTelemetry.response>
