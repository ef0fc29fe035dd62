/**
 * Which topics a group of consumers reads: the one place where the coordinator looks into a member's metadata. Offsets of
 * those topics are neither deleted nor expired (row 85).
 *
 * Only version 0 of the subscription is read, which every later version begins with.
 */
import { ProtocolError, decode } from "@millrace/protocol"
import { ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import type { ClassicGroup } from "./classic-group.ts"
import { metadataOf } from "./member.ts"

const versionBytes = 2
export const consumerProtocolType = "consumer"

/** The group's topics; undefined when its members are no consumers or their metadata cannot be read. */
export function subscribedTopics(group: ClassicGroup): ReadonlySet<string> | undefined {
  if (group.protocolType !== consumerProtocolType) return undefined
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const metadata = metadataOf(member, group.protocol ?? "")
    try {
      for (const topic of decode(ConsumerProtocolSubscription, 0, metadata, versionBytes).topics) topics.add(topic)
    } catch (error) {
      if (error instanceof ProtocolError) return undefined
      throw error
    }
  }
  return topics
}

/** Consumers whose metadata cannot be read may read anything. */
export function isSubscribed(group: ClassicGroup, topics: ReadonlySet<string> | undefined, topic: string): boolean {
  return topics?.has(topic) ?? group.protocolType === consumerProtocolType
}
