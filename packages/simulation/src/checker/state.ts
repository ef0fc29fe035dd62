/**
 * State: the changelog as read_committed sees it holds the last result of every key, and every engine, on whichever
 * machine, is what its changelog was at its checkpoint: no more and no less.
 */
import { byteString } from "@millrace/streams/state/byte-order"
import type { Content } from "../state-device.ts"

/** A record of a changelog. */
export interface Change {
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

const TIMESTAMP_BYTES = 8

/** The last value of each key below an offset; keys as strings of bytes. */
export function replay(changes: readonly Change[], end = Infinity): Map<string, Change> {
  const rows = new Map<string, Change>()
  for (const change of changes) {
    if (change.offset >= end) break
    if (change.value === null) rows.delete(byteString(change.key))
    else rows.set(byteString(change.key), change)
  }
  return rows
}

export function engineMatches(where: string, content: Content, changes: readonly Change[]): string[] {
  const { checkpoint, entries } = content
  if (checkpoint === undefined) return entries.size === 0 ? [] : [`${where} has content and no checkpoint`]
  const rows = replay(changes, checkpoint.offset)
  const findings: string[] = []
  const differs = (key: string, what: string) =>
    findings.push(
      `${where} with checkpoint ${checkpoint.offset}: key ${Buffer.from(key, "latin1").toString("hex")} ${what}`,
    )
  for (const [key, change] of rows) {
    const stored = entries.get(key)
    if (stored === undefined) differs(key, `is missing, the changelog wrote it at ${change.offset}`)
    else if (byteString(stored) !== byteString(storedForm(change)))
      differs(key, `is not what was written at ${change.offset}`)
  }
  for (const key of entries.keys()) if (!rows.has(key)) differs(key, "is there, and not in the changelog")
  return findings
}

/** As a store keeps it: the record's timestamp, then its value. */
function storedForm({ timestamp, value }: Change): Uint8Array {
  const out = Buffer.alloc(TIMESTAMP_BYTES + value!.length)
  out.writeDoubleBE(timestamp, 0)
  out.set(value!, TIMESTAMP_BYTES)
  return out
}
