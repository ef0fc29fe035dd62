/**
 * A suite turns a seed into a run and says what it found.
 */
export interface Outcome {
  /** What broke, each a sentence; empty when nothing did. */
  readonly findings: readonly string[]
  readonly trace: string
  /** What sort of run the seed made. */
  readonly kind: string
  /** How much happened, so that runs that did nothing are seen. They are summed over the seeds. */
  readonly figures: Readonly<Record<string, number>>
}

export interface SuiteOptions {
  readonly onEvent?: ((atMs: number, label: string) => void) | undefined
}

export type Suite = (seed: number, options: SuiteOptions) => Promise<Outcome>
