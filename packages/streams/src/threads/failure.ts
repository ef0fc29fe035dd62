/**
 * Failures between threads. What is posted to another thread loses its class, and with it its name: the errors made for
 * people are put together again, others keep their name, message and stack.
 */
import { PipelineError, ProcessingError, type ProcessingSite, StateError } from "../errors.ts"

export interface PostedFailure {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | number | undefined
  readonly site: ProcessingSite | undefined
  readonly cause: PostedFailure | undefined
}

export function packFailure(failure: unknown): PostedFailure {
  if (!(failure instanceof Error)) {
    return {
      name: "Error",
      message: String(failure),
      stack: undefined,
      code: undefined,
      site: undefined,
      cause: undefined,
    }
  }
  const { name, message, stack, cause } = failure
  const { code } = failure as { code?: unknown }
  return {
    name,
    message,
    stack,
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    site: failure instanceof ProcessingError ? { ...failure.site } : undefined,
    cause: cause === undefined ? undefined : packFailure(cause),
  }
}

export function unpackFailure({ name, message, stack, code, site, cause }: PostedFailure): Error {
  const options = cause && { cause: unpackFailure(cause) }
  const failure = site === undefined ? makeError(name, message, options) : new ProcessingError(site, options?.cause)
  if (stack !== undefined) failure.stack = stack
  return code === undefined ? failure : Object.assign(failure, { code })
}

function makeError(name: string, message: string, options: ErrorOptions | undefined): Error {
  const made = [PipelineError, StateError].find((kind) => kind.name === name)
  if (made !== undefined) return new made(message, options)
  return Object.defineProperty(new Error(message, options), "name", { value: name })
}
