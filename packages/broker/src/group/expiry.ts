/**
 * Offsets that nobody needs any more, and groups that have none (row 85).
 *
 * A group's offsets expire `offsets.retention.minutes` after it became empty. Offsets of a group that never had members,
 * and of topics that a running group of consumers no longer reads, expire that long after their commit. An offset that an
 * open transaction would change stays.
 */
import type { ConsumerGroup } from "./consumer/group.ts"
import { removeConsumerGroup } from "./consumer/tombstones.ts"
import type { ClassicGroup } from "./classic-group.ts"
import type { GroupShardState } from "./group-state.ts"
import type { StoredOffset } from "./offset-store.ts"
import { type GroupOutcome, timerKey } from "./requests.ts"
import type { StreamsGroup } from "./streams/group.ts"
import { removeStreamsGroup } from "./streams/leave.ts"
import { consumerProtocolType, isSubscribed, subscribedTopics } from "./subscriptions.ts"

const minuteMs = 60_000

export function armCleanup(shard: GroupShardState, out: GroupOutcome): void {
  out.arm(timerKey.cleanup, shard.config["offsets.retention.check.interval.ms"], { kind: "cleanup" })
}

export function cleanup(shard: GroupShardState, now: number, out: GroupOutcome): void {
  out.atomic = false
  for (const group of [...shard.groups.values()]) {
    const empty = expireOffsets(shard, group, now, out)
    if (empty && group.state === "Empty" && group.pendingMembers.size === 0) removeGroup(shard, group, out)
  }
  for (const group of [...shard.consumerGroups.values()]) {
    const empty = expireUnread(shard, group, now, out)
    if (empty && group.state === "Empty") removeConsumerGroup(group, out)
  }
  for (const group of [...shard.streamsGroups.values()]) {
    const empty = expireUnread(shard, group, now, out)
    if (empty && group.state === "Empty") removeStreamsGroup(group, out)
  }
  armCleanup(shard, out)
}

/** Deletes a group that has no members: with a tombstone if the log knows it. */
export function removeGroup(shard: GroupShardState, group: ClassicGroup, out: GroupOutcome): void {
  for (const memberId of group.pendingMembers.keys()) out.disarm(timerKey.session(group.groupId, memberId))
  if (group.persisted === null) shard.groups.delete(group.groupId)
  else out.records.push({ type: "group-metadata", group: group.groupId, value: null })
}

/** True when no offsets are left. They expire by their age, once nobody in the group reads their topic. */
function expireUnread(
  shard: GroupShardState,
  group: ConsumerGroup | StreamsGroup,
  now: number,
  out: GroupOutcome,
): boolean {
  const { offsets } = shard
  const { groupId } = group
  const retentionMs = shard.config["offsets.retention.minutes"] * minuteMs
  let allExpired = !offsets.hasOpenTransactions(groupId)
  for (const [topic, partitions] of offsets.topics(groupId) ?? []) {
    const isRead = group.isSubscribed(topic)
    for (const [partition, stored] of partitions) {
      const expired =
        !isRead && !offsets.isUnstable(groupId, topic, partition) && now - stored.commitTimestamp >= retentionMs
      if (expired) out.records.push({ type: "offset-commit", group: groupId, topic, partition, value: null })
      else allExpired = false
    }
  }
  return allExpired
}

/** True when nothing is left that the group must be kept for. */
function expireOffsets(shard: GroupShardState, group: ClassicGroup, now: number, out: GroupOutcome): boolean {
  const { offsets } = shard
  const retentionMs = shard.config["offsets.retention.minutes"] * minuteMs
  const since = expiryStart(group)
  const topics = subscribedTopics(group)
  let allExpired = !offsets.hasOpenTransactions(group.groupId)
  for (const [topic, partitions] of offsets.topics(group.groupId) ?? []) {
    for (const [partition, stored] of partitions) {
      const expired =
        since !== undefined &&
        !isSubscribed(group, topics, topic) &&
        !offsets.isUnstable(group.groupId, topic, partition) &&
        (stored.expireTimestamp >= 0 ? now >= stored.expireTimestamp : now - since(stored) >= retentionMs)
      if (expired) {
        out.records.push({ type: "offset-commit", group: group.groupId, topic, partition, value: null })
      } else {
        allExpired = false
      }
    }
  }
  return allExpired
}

/** When an offset's retention began; undefined while the group keeps its offsets whatever their age. */
function expiryStart(group: ClassicGroup): ((offset: StoredOffset) => number) | undefined {
  const committed = (offset: StoredOffset) => offset.commitTimestamp
  if (group.protocolType === null) return committed
  if (group.state === "Empty") return group.stateTimestamp < 0 ? committed : () => group.stateTimestamp
  return group.protocolType === consumerProtocolType && group.state === "Stable" ? committed : undefined
}
