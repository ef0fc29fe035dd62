/**
 * What sticky consumers put into the user data of their subscription. No version precedes them: the strategy's name tells
 * which one it is.
 *
 * "sticky" tells what the member had and in which generation (older writers leave the generation out), since under the
 * eager protocol it owns nothing when it joins; "cooperative-sticky" tells the generation alone, for leaders that read
 * subscriptions below version 2.
 */
import { int32, int32s, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const StickyUserData = message("StickyUserData", "0-1", "none", {
  previousAssignment: structs("0+", {
    topic: string("0+"),
    partitions: int32s("0+"),
  }),
  generation: int32("1+", { default: -1, ignorable: true }),
})
export type StickyUserData = Decoded<typeof StickyUserData>

export const CooperativeStickyUserData = message("CooperativeStickyUserData", "0", "none", {
  generation: int32("0+"),
})
export type CooperativeStickyUserData = Decoded<typeof CooperativeStickyUserData>
