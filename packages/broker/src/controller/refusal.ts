/**
 * A command that the controller will not carry out: the error code and the reason to answer with. Thrown and caught
 * inside one command, where it stands for one topic or one resource of a request; it never leaves the controller.
 */
import type { ErrorCode } from "@millrace/protocol"

export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
