/** Records that take members, and groups, out of the log. */
import type { GroupOutcome } from "../requests.ts"
import type { ConsumerGroup } from "./group.ts"

export function removeMember({ groupId }: ConsumerGroup, memberId: string, out: GroupOutcome): void {
  out.records.push(
    { type: "consumer-current", group: groupId, memberId, value: null },
    { type: "consumer-target", group: groupId, memberId, value: null },
    { type: "consumer-member", group: groupId, memberId, value: null },
  )
}

/** An empty group, or one whose members were removed. */
export function removeConsumerGroup(group: ConsumerGroup, out: GroupOutcome): void {
  const { groupId } = group
  for (const regex of group.regexes.keys())
    out.records.push({ type: "consumer-regex", group: groupId, regex, value: null })
  out.records.push(
    { type: "consumer-assignment-epoch", group: groupId, value: null },
    { type: "consumer-group", group: groupId, value: null },
  )
}
