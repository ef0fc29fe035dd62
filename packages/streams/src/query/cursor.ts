/**
 * Where an answer that was cut goes on: behind the stored key of its last row, as text.
 */
import { byteString, bytesOf } from "../state/byte-order.ts"
import type { Query, Row } from "./query.ts"

/** A row with its stored key, by which answers of several partitions are merged. */
export interface Found {
  readonly stored: string
  readonly row: Row<any, any>
}

export const cursorOf = (stored: string): string => Buffer.from(bytesOf(stored)).toString("base64url")

/** Narrows bounds of stored keys to what follows an earlier answer. */
export function fromAfter<From extends string | undefined, To extends string | undefined>(
  query: Query,
  from: From,
  to: To,
): [From, To] {
  const after =
    "after" in query && query.after !== undefined ? byteString(Buffer.from(query.after, "base64url")) : undefined
  if (after === undefined) return [from, to]
  if ("order" in query && query.order === "desc") return [from, (to === undefined || after < to ? after : to) as To]
  const next = `${after}\0`
  return [(from === undefined || next > from ? next : from) as From, to]
}
