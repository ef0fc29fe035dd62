/** Every check of a history (reference/broker.md, section 5). */
import { abortedReads } from "./aborted-read.ts"
import { circularReads } from "./circular-reads.ts"
import { duplicateValues } from "./duplicate-values.ts"
import type { History } from "./history.ts"
import { inconsistentOffsets } from "./inconsistent-offsets.ts"
import { lostWrites } from "./lost-write.ts"
import { pollOrder } from "./poll-order.ts"
import { precommittedReads } from "./precommitted-read.ts"
import { sendOrder } from "./send-order.ts"
import { unseen } from "./unseen.ts"
import { VersionOrder } from "./version-order.ts"

export function checkHistory(history: History): string[] {
  const order = new VersionOrder(history)
  return [
    ...inconsistentOffsets(order),
    ...duplicateValues(order),
    ...abortedReads(history),
    ...lostWrites(history, order),
    ...unseen(history),
    ...pollOrder(history, order),
    ...sendOrder(history, order),
    ...precommittedReads(history),
    ...circularReads(history),
  ]
}
