/**
 * The results of the wide pipeline, as read_committed sees them, against what its input asks for: nothing lost, nothing
 * there twice, everything in the order of its key.
 */
import { pairName, type Sequences, type WideExpected } from "./expected.ts"
import type { ClosedResult, CountResult, JoinedResult, PairResult, ResultName, SessionResult } from "./pipeline.ts"

/** A result as it was read. */
export interface WideResult {
  readonly key: string
  /** JSON. */
  readonly value: string
  readonly timestamp: number
}

export interface WideFindings {
  lost: number
  duplicated: number
  /** Wrong in any other way: order, numbers, versions, timestamps, results of nothing. */
  wrong: number
  readonly examples: string[]
}

const EXAMPLES_MAX = 20

/** `results`: of each topic all partitions' one after another. `partitionOf`: where the event came from. */
export function checkWide(
  results: Readonly<Record<ResultName, readonly WideResult[]>>,
  expected: WideExpected,
  partitionOf: (id: string) => number,
): WideFindings {
  const found = new Findings()
  const parsed = <T>(name: ResultName) =>
    results[name].map(({ key, value, timestamp }) => ({ key, timestamp, value: JSON.parse(value) as T }))
  const ids = <T extends { readonly id: string }>(name: ResultName) =>
    parsed<T>(name).map(({ key, value }) => ({ key, id: value.id }))
  for (const name of ["joined", "letters", "counts", "windows"] as const)
    sequences(found, name, ids(name), expected[name], partitionOf)
  for (const name of ["counts", "windows"] as const) numbers(found, name, parsed<CountResult>(name))
  forward(found, parsed<JoinedResult>("joined"))
  const sessions = results.sessions.map(({ key, value }) => ({ key, id: normal(value) }))
  const sessionLists = new Map([...expected.sessions].map(([key, list]) => [key, [list]]))
  sequences(found, "sessions", sessions, sessionLists, () => 0)
  pairs(found, parsed<PairResult>("pairs"), expected.pairs)
  closed(found, parsed<ClosedResult>("closed"), expected.closed)
  return found
}

class Findings implements WideFindings {
  lost = 0
  duplicated = 0
  wrong = 0
  readonly examples: string[] = []

  add(kind: "lost" | "duplicated" | "wrong", what: string, count = 1): void {
    this[kind] += count
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(what)
  }
}

const normal = (json: string): string => {
  const { start, end, ids } = JSON.parse(json) as SessionResult
  return JSON.stringify({ start, end, ids })
}

/** Under each key and of each partition exactly these, in this order. */
function sequences(
  found: Findings,
  topic: string,
  results: readonly { readonly key: string; readonly id: string }[],
  expected: Sequences,
  partitionOf: (id: string) => number,
): void {
  const byKey = Map.groupBy(results, ({ key }) => key)
  for (const [key, lists] of expected) {
    const got = Map.groupBy(byKey.get(key) ?? [], ({ id }) => partitionOf(id))
    for (const [partition, list] of lists.entries()) {
      const where = `${topic}, key ${key}, of partition ${partition}`
      compare(found, where, got.get(partition)?.map(({ id }) => id) ?? [], list)
    }
  }
  for (const key of byKey.keys())
    if (!expected.has(key)) found.add("wrong", `${topic} has results of a key unknown: ${key}`, byKey.get(key)!.length)
}

function compare(found: Findings, where: string, got: readonly string[], wanted: readonly string[]): void {
  if (got.length === wanted.length && got.every((id, at) => id === wanted[at])) return
  const rest = new Map<string, number>()
  for (const id of wanted) rest.set(id, (rest.get(id) ?? 0) + 1)
  const isWanted = new Set(wanted)
  let isComplete = true
  for (const id of got) {
    const left = rest.get(id) ?? 0
    if (left > 0) rest.set(id, left - 1)
    else {
      isComplete = false
      found.add(isWanted.has(id) ? "duplicated" : "wrong", `${where}: one result too many of ${id}`)
    }
  }
  for (const [id, count] of rest) {
    if (count === 0) continue
    isComplete = false
    found.add("lost", `${where}: no result of ${id}`, count)
  }
  const at = got.findIndex((id, index) => id !== wanted[index])
  if (isComplete) found.add("wrong", `${where}: result ${at} is of ${got[at]}, not of ${wanted[at]}`)
}

/** 1, 2, 3 and so on, under each key. */
function numbers(
  found: Findings,
  topic: string,
  results: readonly { readonly key: string; readonly value: CountResult }[],
): void {
  for (const [key, list] of Map.groupBy(results, (result) => result.key)) {
    const at = list.findIndex(({ value: { n } }, index) => n !== index + 1)
    if (at >= 0) found.add("wrong", `${topic}, key ${key}: result ${at + 1} has the number ${list[at]!.value.n}`)
  }
}

/** A row that a stream was joined with never gives way to an older one. */
function forward(found: Findings, results: readonly { readonly key: string; readonly value: JoinedResult }[]): void {
  const last = new Map<string, number>()
  for (const { key, value } of results) {
    const before = last.get(key) ?? 1
    if (value.version < before)
      found.add("wrong", `event ${value.id} met version ${value.version} of row ${key} after version ${before}`)
    last.set(key, value.version)
  }
}

function pairs(
  found: Findings,
  results: readonly { readonly key: string; readonly timestamp: number; readonly value: PairResult }[],
  expected: WideExpected["pairs"],
): void {
  const byKey = Map.groupBy(results, ({ key }) => key)
  for (const key of new Set([...byKey.keys(), ...expected.keys()])) {
    const names = byKey.get(key)?.map(({ timestamp, value }) => pairName(value.event, value.click, timestamp)) ?? []
    compare(found, `pairs, key ${key}`, names.sort(), expected.get(key) ?? [])
  }
}

function closed(
  found: Findings,
  results: readonly { readonly key: string; readonly value: ClosedResult }[],
  expected: WideExpected["closed"],
): void {
  const byKey = Map.groupBy(results, ({ key }) => key)
  for (const [key, { n, idSum }] of expected) {
    const [first, ...more] = byKey.get(key) ?? []
    if (first === undefined) found.add("lost", `closed has no window ${key}`)
    else if (first.value.n !== n || first.value.idSum !== idSum)
      found.add("wrong", `closed, window ${key} has ${JSON.stringify(first.value)}, not ${n} events of sum ${idSum}`)
    if (more.length > 0) found.add("duplicated", `closed, window ${key} is there ${1 + more.length} times`, more.length)
  }
  for (const key of byKey.keys()) if (!expected.has(key)) found.add("wrong", `closed has a window unknown: ${key}`)
}
