/**
 * The one place where errors become statuses, in Kafka Connect's form {error_code, message}.
 */
import { type HttpAnswer, HttpError } from "@millrace/host/node/http"
import { type RefusalKind, Refused } from "../runtime/refused.ts"

const STATUS: Readonly<Record<RefusalKind, number>> = {
  "bad-request": 400,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
}

export function failure(error: unknown): HttpAnswer {
  const status = error instanceof Refused ? STATUS[error.kind] : error instanceof HttpError ? error.status : 500
  const message = error instanceof Error ? error.message : String(error)
  return { status, body: { error_code: status, message } }
}
