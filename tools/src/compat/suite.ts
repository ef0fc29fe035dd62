/**
 * A part of `npm run compat` that stands alone: it starts what it needs, and its outcomes are a section of the page.
 */
import type { Check } from "./check.ts"

export interface Suite {
  /** Of the section. */
  readonly title: string
  /** Runs its checks through `perform`, some at once where that is said; answers with what the section ends with. */
  run(perform: (checks: readonly Check[], atOnce?: number) => Promise<void>): Promise<string | void>
}
