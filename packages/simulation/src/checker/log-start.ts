/**
 * Where a log starts: what was deleted stays deleted, and nothing else is gone. Below the start lies only what somebody
 * asked to delete or what is older than retention.ms; from the start on everything acknowledged is there.
 */
import type { Placed } from "./observed.ts"

export interface Kept extends Placed {
  readonly timestamp: number
}

/** One look at a partition. */
export interface LogLook {
  readonly partition: string
  /** Before anything was read, and after all was. */
  readonly startBefore: number
  readonly startAfter: number
  readonly seen: readonly Placed[]
  /** Acknowledged before the look began. */
  readonly acknowledged: readonly Kept[]
  /** Below it records were deleted, as was answered before the look began. */
  readonly deletedTo: number
  /** Below it somebody asked to delete, answered or not. */
  readonly askedTo: number
  /** Virtual wall clock, after the look, and retention.ms. */
  readonly now: number
  readonly retentionMs: number
}

export function logStart(look: LogLook, before: number): string[] {
  const { partition, startBefore, startAfter, deletedTo, askedTo, seen, acknowledged, now, retentionMs } = look
  const findings: string[] = []
  if (startBefore < before) findings.push(`the start of ${partition} went back from ${before} to ${startBefore}`)
  if (startBefore < deletedTo)
    findings.push(`${partition} starts at ${startBefore}, though records were deleted up to ${deletedTo}`)
  const found = new Map(seen.map(({ offset, value }) => [offset, value]))
  for (const { offset, value } of seen) {
    if (offset < startBefore) findings.push(`${partition} starts at ${startBefore}, and ${value} was read at ${offset}`)
  }
  for (const { offset, value, timestamp } of acknowledged) {
    if (offset < startAfter) {
      if (offset >= askedTo && timestamp + retentionMs > now)
        findings.push(`${value} is gone from ${partition}, ${now - timestamp} ms after it was written`)
    } else if (found.get(offset) !== value)
      findings.push(`acknowledged at ${partition}@${offset} but missing: ${value}; there is ${found.get(offset)}`)
  }
  return findings
}
