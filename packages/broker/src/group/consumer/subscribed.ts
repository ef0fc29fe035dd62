/**
 * What the members of a consumer group read: names, and the topics that expressions stand for.
 *
 * The group's regexes are records: who resolves one anew writes it, so that a restart assigns the same.
 */
import type { AssignorMember } from "./assignor.ts"
import type { ConsumerGroup, ResolvedRegex } from "./group.ts"
import type { ConsumerMember } from "./member.ts"
import { noPartitions } from "./partitions.ts"
import type { TopicPatterns } from "./patterns.ts"
import { type GroupTopic, type GroupTopics, metadataHash } from "./topics.ts"

export type Regexes = ReadonlyMap<string, ResolvedRegex>

export interface ResolvedRegexes {
  readonly all: Regexes
  /** Those to be written: null ones are not subscribed to any more. */
  readonly changed: ReadonlyMap<string, ResolvedRegex | null>
}

/** Resolves the expressions of these members against the topics there are. */
export function resolveRegexes(
  group: ConsumerGroup,
  members: Iterable<ConsumerMember>,
  topics: GroupTopics,
  patterns: TopicPatterns,
  now: number,
): ResolvedRegexes {
  const all = new Map<string, ResolvedRegex>()
  const changed = new Map<string, ResolvedRegex | null>()
  for (const { topicRegex } of members) {
    if (topicRegex === null || all.has(topicRegex)) continue
    const known = group.regexes.get(topicRegex)
    const matches = patterns.matcher(topicRegex)
    // Not compiled yet, as after a restart: what was found before holds until it is.
    if (matches === undefined) {
      if (known !== undefined) all.set(topicRegex, known)
      continue
    }
    const found = [...topics.names()].filter((name) => matches(name)).sort()
    const same =
      known !== undefined &&
      known.topics.length === found.length &&
      known.topics.every((name, at) => name === found[at])
    const resolved = same ? known : { topics: found, version: topics.version, timestamp: now }
    all.set(topicRegex, resolved)
    if (!same) changed.set(topicRegex, resolved)
  }
  for (const regex of group.regexes.keys()) if (!all.has(regex)) changed.set(regex, null)
  return { all, changed }
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
