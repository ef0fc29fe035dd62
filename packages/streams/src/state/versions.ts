/**
 * How the versions of a key lie in a versioned store, and how they are walked.
 *
 *     latest    1 | key                     the version that holds from its timestamp on
 *     past      2 | validTo: 8 bytes | key  one that held from its timestamp until the next one's, in big-endian
 *
 * Every version but the latest ends where the next begins, so the chain is walked by reads of single keys, the newest
 * first; and whole times of past versions are one range at the low end, for expiry. A deletion is a version too.
 */
import type { Serde } from "@millrace/schema"
import type { Stamped } from "./key-value-store.ts"
import { TIME_BYTES, timeBytes } from "./time-bytes.ts"

/** The value of a version from whose time on the key has none. */
export const DELETED: unique symbol = Symbol("deleted")

const LATEST = "\u0001"
const PAST = "\u0002"

/** Bounds of all latest versions. */
export const LATEST_BOUNDS: readonly [from: string, to: string] = [LATEST, PAST]

export const latestKey = (key: string): string => LATEST + key
export const pastKey = (key: string, validTo: number): string => PAST + timeBytes(validTo) + key

/** The key's own bytes, of a stored key. */
export const keyOfLatest = (stored: string): string => stored.slice(1)
export const keyOfPast = (stored: string): string => stored.slice(1 + TIME_BYTES)
export const isLatest = (stored: string): boolean => stored.startsWith(LATEST)

/** Past versions lie in buckets of 2 ** 16 ms. */
const BUCKET_TIME_BYTES = TIME_BYTES - 2
export const BUCKET_MS = 2 ** 16
export const PREFIX_LENGTH = 1 + BUCKET_TIME_BYTES
/** How the stored keys of versions that held until a bucket's first instant begin. */
export const bucketPrefix = (validTo: number): string => pastKey("", validTo).slice(0, PREFIX_LENGTH)

export interface StoredVersion<Row> {
  readonly stored: string
  /** Value and timestamp, as they were read. */
  readonly row: Row
  /** Infinity: of the latest. */
  readonly validTo: number
}

/** The versions of a key, the newest first, as long as `read` finds them. */
export function* versionsOf<Row extends Stamped<unknown>>(
  read: (stored: string) => Row,
  key: string,
): Iterable<StoredVersion<Row>> {
  let stored = latestKey(key)
  let validTo = Number.POSITIVE_INFINITY
  for (;;) {
    const row = read(stored)
    if (row.value === undefined) return
    yield { stored, row, validTo }
    if (row.timestamp >= validTo) return
    validTo = row.timestamp
    stored = pastKey(key, validTo)
  }
}

/** Values, or that there is none: one byte tells, so that both can be kept. */
export function deletable<V>(serde: Serde<V>): Serde<V | typeof DELETED> {
  return {
    name: serde.name,
    encode(value) {
      if (value === DELETED) return Uint8Array.of(0)
      const bytes = serde.encode(value)
      const out = Buffer.allocUnsafe(bytes.length + 1)
      out[0] = 1
      out.set(bytes, 1)
      return out
    },
    decode: (bytes) => (bytes[0] === 0 ? DELETED : serde.decode(bytes.subarray(1))),
  }
}
