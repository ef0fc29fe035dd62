/**
 * What the report of a member does to its group, whichever protocol it speaks: each is a record where it changes something.
 *
 * The member's subscription; the group's epoch, when subscriptions or topics changed; the target, when it is older than the
 * group's epoch; the member's own assignment, one step nearer to the target.
 */
import type { GroupShardState } from "../group-state.ts"
import { hasProtocols } from "../member.ts"
import type { Place } from "../member-place.ts"
import type { GroupOutcome } from "../requests.ts"
import { assignors, preferredAssignor } from "./assignors.ts"
import type { ConsumerGroup } from "./group.ts"
import { type ConsumerMember, reconciled, type Subscription } from "./member.ts"
import { equal, noPartitions, type Partitions } from "./partitions.ts"
import { consumerTimerKey, disarmMember } from "./requests.ts"
import { assignorMember, keptRegexes, type Regexes, resolveRegexes, subscribedHash } from "./subscribed.ts"
import { removeMember } from "./tombstones.ts"

export interface Report {
  readonly place: Place<ConsumerMember>
  readonly subscription: Subscription
  /** What the member says it has; null when it said nothing. */
  readonly owned: Partitions | null
  /** Whether who reports may be told of a topic; null when it cannot be told of any that it does not name. */
  readonly maySee: ((topic: string) => boolean) | null
}

/** The member as it is then. */
export function takeStep(
  shard: GroupShardState,
  group: ConsumerGroup,
  report: Report,
  now: number,
  out: GroupOutcome,
): ConsumerMember {
  return new Step(shard, group, report, now, out).take()
}

class Step {
  readonly #shard: GroupShardState
  readonly #group: ConsumerGroup
  readonly #place: Place<ConsumerMember>
  readonly #report: Report
  readonly #now: number
  readonly #out: GroupOutcome
  #regexes: Regexes

  constructor(shard: GroupShardState, group: ConsumerGroup, report: Report, now: number, out: GroupOutcome) {
    this.#shard = shard
    this.#group = group
    this.#place = report.place
    this.#report = report
    this.#now = now
    this.#out = out
    this.#regexes = group.regexes
  }

  take(): ConsumerMember {
    const { subscription, owned } = this.#report
    const { before, isNew, replaces } = this.#place
    const { groupId } = this.#group
    if (replaces !== undefined) this.#replace(replaces, before)
    const member: ConsumerMember = { ...before, ...subscription }
    if (isNew || replaces !== undefined || !sameSubscription(before, member)) {
      this.#out.records.push({
        type: "consumer-member",
        group: groupId,
        memberId: member.memberId,
        value: subscription,
      })
    }
    const epoch = this.#groupEpoch(member)
    const target = this.#target(member, epoch)
    const after = reconciled(member, {
      epoch,
      target,
      owned,
      // What it has yet to give up itself counts, too: it gets that back with its next step.
      isOwned: (topicId, partition) => this.#group.isOwned(topicId, partition),
    })
    if (isNew || after !== member) {
      this.#out.records.push({ type: "consumer-current", group: groupId, memberId: after.memberId, value: after })
    }
    this.#armTimers(after)
    return after
  }

  #replace(oldId: string, before: ConsumerMember): void {
    const { groupId, targets } = this.#group
    const { records } = this.#out
    const target = targets.get(oldId) ?? noPartitions
    removeMember(this.#group, oldId, this.#out)
    records.push(
      { type: "consumer-target", group: groupId, memberId: before.memberId, value: target },
      { type: "consumer-current", group: groupId, memberId: before.memberId, value: before },
    )
    disarmMember(this.#group, oldId, this.#out)
  }

  /** The members as they are after this heartbeat. */
  *#members(member: ConsumerMember): Iterable<ConsumerMember> {
    for (const other of this.#group.members.values())
      if (other.memberId !== member.memberId && other.memberId !== this.#place.replaces) yield other
    yield member
  }

  /** One more than before when the subscriptions, or the topics subscribed to, have changed. */
  #groupEpoch(member: ConsumerMember): number {
    const group = this.#group
    const { topics, patterns } = this.#shard
    const { before, isNew } = this.#place
    const readsOther = isNew || !sameTopics(before, member) || before.serverAssignor !== member.serverAssignor
    if (!readsOther && group.checkedVersion === topics.version) return group.groupEpoch
    const members = [...this.#members(member)]
    const { maySee } = this.#report
    const now = this.#now
    const { all, changed, isComplete } =
      maySee === null ? keptRegexes(group, members) : resolveRegexes(group, members, { topics, patterns, now, maySee })
    this.#regexes = all
    for (const [regex, value] of changed)
      this.#out.records.push({ type: "consumer-regex", group: group.groupId, regex, value })
    if (isComplete) group.checkedVersion = topics.version
    const metadataHash = subscribedHash(members, all, topics)
    if (!readsOther && changed.size === 0 && metadataHash === group.metadataHash) return group.groupEpoch
    const groupEpoch = group.groupEpoch + 1
    this.#out.records.push({ type: "consumer-group", group: group.groupId, value: { groupEpoch, metadataHash } })
    return groupEpoch
  }

  /** The member's target, made anew for all when it is older than the group's epoch. */
  #target(member: ConsumerMember, groupEpoch: number): Partitions {
    const group = this.#group
    const { groupId } = group
    const current = group.targets.get(this.#place.replaces ?? member.memberId) ?? noPartitions
    if (groupEpoch <= group.assignmentEpoch) return current
    const { topics } = this.#shard
    const members = [...this.#members(member)]
    const assign = assignors.get(preferredAssignor(members.map(({ serverAssignor }) => serverAssignor)))!
    const made = assign(
      members.map((one) => {
        const described = assignorMember(one, group, this.#regexes, topics)
        return one === member ? { ...described, target: current } : described
      }),
    )
    for (const [memberId, target] of made) {
      const old = memberId === member.memberId ? current : group.targets.get(memberId)
      if (old === undefined || !equal(old, target))
        this.#out.records.push({ type: "consumer-target", group: groupId, memberId, value: target })
    }
    this.#out.records.push({ type: "consumer-assignment-epoch", group: groupId, value: groupEpoch })
    return made.get(member.memberId) ?? noPartitions
  }

  #armTimers(member: ConsumerMember): void {
    const { groupId } = this.#group
    const { memberId, state, memberEpoch, rebalanceTimeoutMs, classic } = member
    armSession(this.#shard, groupId, member, this.#out)
    const key = consumerTimerKey.rebalance(groupId, memberId)
    // One of the classic protocol has as long to rejoin, and then to sync: see classic-requests.ts.
    if (state !== "UnrevokedPartitions" || classic !== null) this.#out.disarm(key)
    else if (this.#place.before.state !== "UnrevokedPartitions")
      this.#out.arm(key, rebalanceTimeoutMs, { kind: "consumer-rebalance", groupId, memberId, memberEpoch })
  }
}

/** Members of the classic protocol choose how long they may be silent; for the others the group does. */
export function armSession(
  shard: GroupShardState,
  groupId: string,
  { memberId, classic }: ConsumerMember,
  out: GroupOutcome,
): void {
  const timeout = classic?.sessionTimeoutMs ?? shard.configOf(groupId)["consumer.session.timeout.ms"]
  out.arm(consumerTimerKey.session(groupId, memberId), timeout, { kind: "consumer-session", groupId, memberId })
}

const sameTopics = (left: Subscription, right: Subscription): boolean =>
  left.topicRegex === right.topicRegex &&
  left.topicNames.length === right.topicNames.length &&
  left.topicNames.every((name, at) => name === right.topicNames[at])

const sameSubscription = (left: Subscription, right: Subscription): boolean =>
  sameTopics(left, right) &&
  left.instanceId === right.instanceId &&
  left.rackId === right.rackId &&
  left.clientId === right.clientId &&
  left.clientHost === right.clientHost &&
  left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
  left.serverAssignor === right.serverAssignor &&
  sameClassic(left.classic, right.classic)

function sameClassic(left: Subscription["classic"], right: Subscription["classic"]): boolean {
  if (left === null || right === null) return left === right
  return left.sessionTimeoutMs === right.sessionTimeoutMs && hasProtocols(left, right.protocols)
}
