/** Where a heartbeat finds its group. */
import { ErrorCode } from "@millrace/protocol"
import type { StreamsGroupHeartbeatRequest } from "@millrace/protocol/messages/streams-group-heartbeat"
import { removeGroup } from "../expiry.ts"
import type { GroupShardState } from "../group-state.ts"
import { type Fault, givingWay, JOIN_EPOCH } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import { StreamsGroup } from "./group.ts"

interface FoundGroup {
  readonly group: StreamsGroup
  /** Puts a new group into its place, once nothing speaks against the heartbeat. */
  claim(out: GroupOutcome): void
}

export function streamsGroupFor(
  shard: GroupShardState,
  { groupId, memberEpoch }: StreamsGroupHeartbeatRequest,
): FoundGroup | Fault {
  const existing = shard.streamsGroups.get(groupId)
  if (existing !== undefined) return { group: existing, claim: () => {} }
  const errorCode = ErrorCode.GROUP_ID_NOT_FOUND
  if (memberEpoch !== JOIN_EPOCH) return { errorCode, message: `there is no streams group ${groupId}` }
  if (shard.consumerGroups.has(groupId)) return { errorCode, message: `group ${groupId} is not a streams group` }
  const classic = givingWay(shard, groupId)
  if (classic !== undefined && "errorCode" in classic) return classic
  const group = new StreamsGroup(groupId, shard.undo)
  return {
    group,
    claim(out) {
      if (classic !== undefined) removeGroup(shard, classic, out)
      shard.streamsGroups.set(groupId, group)
    },
  }
}
