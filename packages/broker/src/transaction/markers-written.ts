/** The last step of a transaction: its markers are in all logs, so it is complete. */
import { ErrorCode } from "@millrace/protocol"
import { completed } from "./metadata.ts"
import type { MarkersWritten, TransactionOutcome } from "./requests.ts"
import type { TransactionShardState } from "./shard-state.ts"
import { isPrepared } from "./state.ts"

export function markersWritten(
  shard: TransactionShardState,
  { transactionalId, producerId, producerEpoch, token }: MarkersWritten,
  now: number,
  out: TransactionOutcome,
): void {
  const metadata = shard.transactions.get(transactionalId)
  // Markers may be reported twice, by those who sent them before and after a change of leader.
  const awaited =
    metadata !== undefined &&
    isPrepared(metadata.state) &&
    metadata.producerId === producerId &&
    metadata.producerEpoch === producerEpoch
  if (awaited) shard.write(completed(metadata, now), out)
  out.reply(token, ErrorCode.NONE)
}
