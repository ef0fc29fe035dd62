/** Unseen: a committed value that nobody has read by the end, when everybody has read to the end. */
import { type History, pollsOf, sendsOf } from "./history.ts"

export function unseen(history: History): string[] {
  const read = new Set(history.flatMap(pollsOf).flatMap(({ reads }) => reads.map(({ value }) => value)))
  return history.flatMap((operation) => {
    if (operation.type !== "ok") return []
    return sendsOf(operation)
      .filter(({ value }) => !read.has(value))
      .map(({ key, value }) => `${value} of ${operation.process} was committed to ${key}, and never read`)
  })
}
