/**
 * A suite turns a seed into a run and says what it found.
 */
export interface Outcome {
  /** What broke, each a sentence; empty when nothing did. */
  readonly findings: readonly string[]
  readonly trace: string
  /** One line of figures: how much happened, so that a run that did nothing is seen. */
  readonly summary: string
}

export interface SuiteOptions {
  readonly onEvent?: ((atMs: number, label: string) => void) | undefined
}

export type Suite = (seed: number, options: SuiteOptions) => Promise<Outcome>
