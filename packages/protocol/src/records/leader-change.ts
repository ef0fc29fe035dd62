/**
 * Control record of a KRaft log: who leads this epoch and who voted (KIP-595). v1 carries directory ids (KIP-853).
 */
import { int16, int32, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

const voter = {
  voterId: int32("0+"),
  voterDirectoryId: uuid("1+"),
}

export const LeaderChangeMessage = message("LeaderChangeMessage", "0-1", "0+", {
  version: int16("0+"),
  leaderId: int32("0+"),
  voters: structs("0+", voter),
  grantingVoters: structs("0+", voter),
})
export type LeaderChangeMessage = Decoded<typeof LeaderChangeMessage>
