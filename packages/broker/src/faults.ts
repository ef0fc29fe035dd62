/**
 * The one place where operational faults become protocol errors. A programmer's error is no fault: it passes through
 * and halts the broker.
 */
import { DiskError } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { CorruptLogError } from "@millrace/storage"

/** The code to answer with; undefined when the cause is no operational fault. */
export function faultCode(cause: unknown): ErrorCode | undefined {
  if (cause instanceof DiskError || cause instanceof CorruptLogError) return ErrorCode.KAFKA_STORAGE_ERROR
  return undefined
}
