/** A transaction polled a value that it had sent itself: nobody may read that before it is committed. */
import { type History, pollsOf, sendsOf } from "./history.ts"

export function precommittedReads(history: History): string[] {
  return history.flatMap((operation) => {
    const own = new Set(sendsOf(operation).map(({ value }) => value))
    return pollsOf(operation).flatMap(({ key, reads }) =>
      reads
        .filter(({ value }) => own.has(value))
        .map(({ value }) => `${operation.process} read ${value} from ${key} in the transaction that sent it`),
    )
  })
}
