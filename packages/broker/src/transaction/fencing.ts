/** PRODUCER_FENCED came with KIP-588: versions before know the same fact as INVALID_PRODUCER_EPOCH (row 26). */
import { ErrorCode } from "@millrace/protocol"

/** The first version of an API that knows PRODUCER_FENCED. */
export type FencedFrom = number

export function fencedError(error: ErrorCode, apiVersion: number, fencedFrom: FencedFrom): ErrorCode {
  const unknown = error === ErrorCode.PRODUCER_FENCED && apiVersion < fencedFrom
  return unknown ? ErrorCode.INVALID_PRODUCER_EPOCH : error
}
