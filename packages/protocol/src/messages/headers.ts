/**
 * The two headers as table entries. `header.ts` writes and reads them by hand, as every request passes there; tests hold
 * both against each other. The client id keeps its two-byte length in the flexible version.
 */
import { int16, int32, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const RequestHeader = message("RequestHeader", "1-2", "2+", {
  requestApiKey: int16("0+"),
  requestApiVersion: int16("0+"),
  correlationId: int32("0+"),
  clientId: string("1+", { nullable: "1+", flexible: "none" }),
})
export type RequestHeader = Decoded<typeof RequestHeader>

export const ResponseHeader = message("ResponseHeader", "0-1", "1+", {
  correlationId: int32("0+"),
})
export type ResponseHeader = Decoded<typeof ResponseHeader>
