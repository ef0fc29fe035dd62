/**
 * A request that cannot be granted, and why; the REST shell turns the kind into a status.
 */
export type RefusalKind = "bad-request" | "not-found" | "conflict" | "forbidden"

export class Refused extends Error {
  override readonly name = "Refused"
  readonly kind: RefusalKind
  constructor(kind: RefusalKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export const badRequest = (message: string): Refused => new Refused("bad-request", message)
export const notFound = (message: string): Refused => new Refused("not-found", message)
export const conflict = (message: string): Refused => new Refused("conflict", message)
