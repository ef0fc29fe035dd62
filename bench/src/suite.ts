/**
 * What a suite is given, and the rows it answers.
 */
export type BrokerName = "kafka" | "millrace"

export interface SuiteOptions {
  readonly rounds: number
  /** Records of one measurement; keys of the store in suite "restore". */
  readonly records?: number
  readonly broker: BrokerName
  /** Cases whose names hold one of the words of each. */
  readonly only?: readonly string[]
  readonly peers?: readonly string[]
}

export interface Row {
  readonly what: string
  readonly unit: string
  readonly moreIsBetter: boolean
  /** Medians over the rounds, by who was measured. */
  readonly medians: Readonly<Record<string, number>>
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
