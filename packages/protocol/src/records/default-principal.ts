/**
 * A client's principal as Envelope carries it to the controller (KIP-590).
 */
import { bool, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const DefaultPrincipalData = message("DefaultPrincipalData", "0", "0+", {
  type: string("0+"),
  name: string("0+"),
  tokenAuthenticated: bool("0+"),
})
export type DefaultPrincipalData = Decoded<typeof DefaultPrincipalData>
