/**
 * Steps that give something back: each is taken, whatever came of those before it, or what they hold would stay for as long
 * as the process. Then the first failure is thrown.
 */
export async function inTurn(steps: Iterable<() => Promise<void> | void>): Promise<void> {
  let failure: { readonly cause: unknown } | undefined
  for (const step of steps) {
    try {
      await step()
    } catch (cause) {
      failure ??= { cause }
    }
  }
  if (failure !== undefined) throw failure.cause
}
