/**
 * A command that the controller will not carry out: the error code and the reason to answer with. Thrown and caught
 * inside one command, where it stands for one topic or one resource of a request; it never leaves the controller.
 */
import { ErrorCode } from "@millrace/protocol"

export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What a command is answered with: that it was done, or why it was refused. */
export interface Outcome {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export function outcomeOf(command: () => void): Outcome {
  try {
    command()
    return { errorCode: ErrorCode.NONE, errorMessage: null }
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return { errorCode: cause.code, errorMessage: cause.message }
  }
}
