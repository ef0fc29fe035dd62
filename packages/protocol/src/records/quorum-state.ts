/**
 * What a KRaft voter must remember of an election: the epoch and its vote (KIP-595). Kafka keeps it as JSON in a file
 * `quorum-state` beside the metadata log. v1 the directory id that was voted for, without the voters (KIP-853).
 */
import { int32, int64, string, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const QuorumStateData = message("QuorumStateData", "0-1", "0+", {
  clusterId: string("0"),
  leaderId: int32("0+", { default: -1 }),
  leaderEpoch: int32("0+", { default: -1 }),
  votedId: int32("0+", { default: -1 }),
  votedDirectoryId: uuid("1+"),
  appliedOffset: int64("0"),
  currentVoters: structs(
    "0",
    { nullable: "0" },
    {
      voterId: int32("0"),
    },
  ),
})
export type QuorumStateData = Decoded<typeof QuorumStateData>
