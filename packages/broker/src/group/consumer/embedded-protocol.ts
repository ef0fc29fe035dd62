/**
 * What consumers of the classic protocol put into JoinGroup, and are told by SyncGroup: bytes of their own, which a consumer
 * group has to read and write where it stands in for their leader (row 96).
 *
 * A two-byte version, then the message in that version; of later versions than are known what is known is read.
 */
import { decode, encode, ProtocolError } from "@millrace/protocol"
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import { type Partitions, partitionsOf } from "./partitions.ts"
import type { GroupTopics } from "./topics.ts"

const VERSION_BYTES = 2
const VERSION_MAX = 3

export interface EmbeddedSubscription {
  readonly topicNames: readonly string[]
  readonly rackId: string | null
  /** What a member says it has; nothing, when it gives everything up before it joins. */
  readonly owned: Partitions
}

/** Undefined where the bytes say nothing. */
export function readSubscription(metadata: Uint8Array, topics: GroupTopics): EmbeddedSubscription | undefined {
  return readable(() => {
    const read = decode(ConsumerProtocolSubscription, versionOf(metadata), metadata, VERSION_BYTES)
    return {
      topicNames: [...new Set(read.topics)].sort(),
      rackId: read.rackId,
      owned: byId(read.ownedPartitions, topics),
    }
  })
}

export interface EmbeddedAssignment {
  readonly partitions: Partitions
  /** Whether an assignor of the client's own said more than partitions. */
  readonly hasUserData: boolean
}

/** Undefined where the bytes say nothing; no bytes at all are no partitions. */
export function readAssignment(assignment: Uint8Array, topics: GroupTopics): EmbeddedAssignment | undefined {
  if (assignment.length === 0) return { partitions: partitionsOf([]), hasUserData: false }
  return readable(() => {
    const read = decode(ConsumerProtocolAssignment, versionOf(assignment), assignment, VERSION_BYTES)
    return { partitions: byId(read.assignedPartitions, topics), hasUserData: (read.userData?.length ?? 0) > 0 }
  })
}

/** In the version of the member's subscription; in the first when that says none, for a classic group takes any bytes. */
export function writeAssignment(partitions: Partitions, metadata: Uint8Array, topics: GroupTopics): Uint8Array {
  const version = readable(() => versionOf(metadata)) ?? 0
  const assignedPartitions = [...partitions].flatMap(([topicId, indexes]) => {
    const topic = topics.byId(topicId)
    return topic === undefined ? [] : [{ topic: topic.name, partitions: [...indexes] }]
  })
  const body = encode(ConsumerProtocolAssignment, version, { assignedPartitions, userData: null })
  const bytes = new Uint8Array(VERSION_BYTES + body.length)
  new DataView(bytes.buffer).setInt16(0, version)
  bytes.set(body, VERSION_BYTES)
  return bytes
}

function byId(
  named: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  topics: GroupTopics,
) {
  return partitionsOf(
    named.flatMap(({ topic, partitions }) => {
      const known = topics.byName(topic)
      return known === undefined ? [] : [{ topicId: known.topicId, partitions }]
    }),
  )
}

function versionOf(bytes: Uint8Array): number {
  const version = bytes.length < VERSION_BYTES ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getInt16(0)
  if (version < 0) throw new ProtocolError("ConsumerProtocol", version, "version", 0, "there is no such version")
  return Math.min(version, VERSION_MAX)
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
