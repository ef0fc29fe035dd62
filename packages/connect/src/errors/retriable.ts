/**
 * Whether an error may pass by itself, whoever threw it.
 */
import { isRetriableError } from "@millrace/client"

export function isRetriable(error: unknown): boolean {
  if (isRetriableError(error)) return true
  if (!(error instanceof Error)) return false
  return error.name === "RetriableError" || (error as { retriable?: unknown }).retriable === true
}
