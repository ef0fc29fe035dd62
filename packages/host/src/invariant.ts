/** A programmer error: a state that cannot be. It halts what it happens in: who catches it takes back what was half done. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation"
}

/** Asserts what must hold. On in production: a broken invariant must not reach the disk. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message)
}
