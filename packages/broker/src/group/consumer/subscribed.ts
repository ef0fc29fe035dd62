/**
 * What the members of a consumer group read: names, and the topics that expressions stand for.
 *
 * The group's regexes are records: who resolves one anew writes it, so that a restart assigns the same.
 */
import type { AssignorMember } from "./assignor.ts"
import type { ConsumerGroup, ResolvedRegex } from "./group.ts"
import type { ConsumerMember } from "./member.ts"
import { noPartitions } from "./partitions.ts"
import type { NamePatterns } from "../../coordinator/patterns.ts"
import { type GroupTopic, type GroupTopics, metadataHash } from "./topics.ts"

export interface Regexes {
  get(regex: string): ResolvedRegex | undefined
}

export interface ResolvedRegexes {
  readonly all: Regexes
  /** Those to be written: null ones are not subscribed to any more. */
  readonly changed: ReadonlyMap<string, ResolvedRegex | null>
  /** Whether all stand for what they match now: none had to be put off. */
  readonly isComplete: boolean
}

export interface Resolving {
  readonly topics: GroupTopics
  readonly patterns: NamePatterns
  readonly now: number
  /** Who has to resolve them may not see every topic; what it may not see nobody is given (as Kafka's broker does). */
  readonly maySee: (topic: string) => boolean
}

/** The expressions of these members, resolved against the topics there are. */
export function resolveRegexes(
  group: ConsumerGroup,
  members: Iterable<ConsumerMember>,
  { topics, patterns, now, maySee }: Resolving,
): ResolvedRegexes {
  const all = new Map<string, ResolvedRegex>()
  const changed = new Map<string, ResolvedRegex | null>()
  let isComplete = true
  for (const regex of regexesOf(members)) {
    const known = group.regexes.get(regex)
    const matches = patterns.matcher(regex)
    // Not compiled yet, as after a restart: what was found before holds until it is.
    if (matches === undefined) {
      isComplete = false
      if (known !== undefined) all.set(regex, known)
      continue
    }
    const found = [...topics.names()].filter((name) => matches(name) && maySee(name)).sort()
    const same =
      known !== undefined &&
      known.topics.length === found.length &&
      known.topics.every((name, at) => name === found[at])
    const resolved = same ? known : { topics: found, version: topics.version, timestamp: now }
    all.set(regex, resolved)
    if (!same) changed.set(regex, resolved)
  }
  for (const regex of group.regexes.keys()) if (!all.has(regex)) changed.set(regex, null)
  return { all, changed, isComplete }
}

/** What is left of the group's expressions when only these members are: nobody is there to resolve them anew. */
export function keptRegexes(group: ConsumerGroup, members: Iterable<ConsumerMember>): ResolvedRegexes {
  const subscribed = regexesOf(members)
  return {
    all: new Map([...group.regexes].filter(([regex]) => subscribed.has(regex))),
    changed: new Map([...group.regexes.keys()].filter((regex) => !subscribed.has(regex)).map((regex) => [regex, null])),
    isComplete: subscribed.size === 0,
  }
}

function regexesOf(members: Iterable<ConsumerMember>): ReadonlySet<string> {
  const regexes = new Set<string>()
  for (const { topicRegex } of members) if (topicRegex !== null) regexes.add(topicRegex)
  return regexes
}

/** The existing topics that a member reads, in the order of their names. */
export function topicsOf(member: ConsumerMember, regexes: Regexes, topics: GroupTopics): GroupTopic[] {
  const matched = member.topicRegex === null ? [] : (regexes.get(member.topicRegex)?.topics ?? [])
  const names = [...new Set([...member.topicNames, ...matched])].sort()
  return names.flatMap((name) => topics.byName(name) ?? [])
}

/** Of the topics that these members read. */
export function subscribedHash(members: Iterable<ConsumerMember>, regexes: Regexes, topics: GroupTopics): number {
  const found = new Map<string, GroupTopic>()
  for (const member of members) for (const topic of topicsOf(member, regexes, topics)) found.set(topic.topicId, topic)
  return metadataHash(found.values())
}

export const assignorMember = (
  member: ConsumerMember,
  group: ConsumerGroup,
  regexes: Regexes,
  topics: GroupTopics,
): AssignorMember => ({
  memberId: member.memberId,
  instanceId: member.instanceId,
  topics: topicsOf(member, regexes, topics),
  target: group.targets.get(member.memberId) ?? noPartitions,
})
