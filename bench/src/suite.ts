/**
 * What a suite is given, and the rows it answers.
 */
export type BrokerName = "kafka" | "millrace"

export interface SuiteOptions {
  readonly rounds: number
  /** Records of one measurement; keys of the store in suite "restore", partitions in suite "partitions". */
  readonly records?: number
  readonly broker: BrokerName
  /** Cases whose names hold one of the words of each. */
  readonly only?: readonly string[]
  readonly peers?: readonly string[]
  /** Every case, not the default ones. */
  readonly all?: boolean
  /** Clients and brokers share all cores. */
  readonly unpinned?: boolean
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

/** Whether a case is asked for: each word must fit one of its parts, so that `--only count --only json` is one case. */
export const isAskedFor = ({ only }: Pick<SuiteOptions, "only">, one: object): boolean =>
  (only ?? []).every((word) => word.split(",").some((part) => Object.values(one).map(String).includes(part)))

/** Who takes turns at which cases. */
export interface Turns<Case, Peer extends { readonly name: string }> {
  readonly rounds: number
  readonly cases: readonly Case[]
  readonly peers: readonly Peer[]
  readonly titleOf: (one: Case) => string
  readonly unit: string
  /** Undefined where there is no figure. */
  readonly sample: (one: Case, peer: Peer) => Promise<number | undefined>
}

/** Every case by every peer, in turns, round after round: the medians. More is better. */
export async function inTurns<Case, Peer extends { readonly name: string }>({
  rounds,
  cases,
  peers,
  titleOf,
  unit,
  sample,
}: Turns<Case, Peer>): Promise<Row[]> {
  const samples = cases.map(() => new Map<string, number[]>(peers.map(({ name }) => [name, []])))
  for (let round = 0; round < rounds; round++) {
    for (const [index, one] of cases.entries()) {
      for (const peer of peers) {
        const figure = await sample(one, peer)
        if (figure !== undefined) samples[index]!.get(peer.name)!.push(figure)
      }
    }
  }
  return cases.map((one, index) => ({
    what: titleOf(one),
    unit,
    moreIsBetter: true,
    medians: Object.fromEntries(
      [...samples[index]!].flatMap(([name, all]) => (all.length === 0 ? [] : [[name, median(all)]])),
    ),
  }))
}
