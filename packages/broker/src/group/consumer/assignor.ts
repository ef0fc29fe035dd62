/**
 * Assignors that run in the broker (KIP-848): from members and topics to a target for each member. Pure and total: every
 * partition of a subscribed topic goes to exactly one member that subscribed to it.
 */
import type { GroupTopic } from "./topics.ts"
import type { Partitions } from "./partitions.ts"

export interface AssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** The existing topics that it reads. */
  readonly topics: readonly GroupTopic[]
  /** Its target so far. */
  readonly target: Partitions
}

export type Assignor = (members: readonly AssignorMember[]) => ReadonlyMap<string, Partitions>

/** Members in an order that restarts do not change where they have instance ids. */
export function inOrder<Member extends AssignorMember>(members: readonly Member[]): Member[] {
  const name = ({ instanceId, memberId }: Member) => instanceId ?? memberId
  return [...members].sort((left, right) => (name(left) < name(right) ? -1 : name(left) > name(right) ? 1 : 0))
}
