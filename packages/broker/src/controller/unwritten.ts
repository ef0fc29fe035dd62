/**
 * What is answered when there was no room for a decision's records: nothing of it was done, so every success in its response
 * becomes a failure.
 */
import { ErrorCode } from "@millrace/protocol"
import type { MetadataLogFull } from "./metadata-log.ts"

const MESSAGE = "The disk of the metadata log is full: nothing was changed."

/** Throws the cause where nothing in the response can say so. */
export function unwritten<T>(response: T, cause: MetadataLogFull): T {
  let isTold = false
  const changed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(changed)
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value
    const fields = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, changed(field)]))
    if (fields["errorCode"] !== ErrorCode.NONE) return fields
    isTold = true
    return { ...fields, errorCode: ErrorCode.KAFKA_STORAGE_ERROR, errorMessage: MESSAGE }
  }
  const answer = changed(response) as T
  if (!isTold) throw cause
  return answer
}
