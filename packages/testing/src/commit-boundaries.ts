/**
 * Where transactions begin and end must not be seen: the same inputs, cut into transactions at random, with aborts, failed
 * and killed commits, crashes, lost engine writes and moves to other workers, give the outputs and the state that one
 * transaction gives.
 *
 * A pipeline whose callbacks keep something to themselves, read a clock or draw a random number fails here. A difference is
 * made small before it is told: disturbances and inputs that are not needed for it are left out.
 */
import { inspect, isDeepStrictEqual } from "node:util"
import type { Pipeline, Topic } from "@millrace/streams"
import { type Disturbance, describeDisturbance, disturb, randomDisturbances } from "./disturbance.ts"
import { SeededRandom } from "./seeded-random.ts"
import { type SentRecord, TestDriver, type TestDriverOptions } from "./test-driver.ts"

export interface Input {
  readonly topic: Topic<any, any>
  readonly record: SentRecord<any, any>
}

/** Records of one topic as inputs; a later one goes in after those before it. */
export function inputs<K, V>(topic: Topic<K, V>, ...records: ReadonlyArray<SentRecord<K, V>>): Input[] {
  return records.map((record) => ({ topic, record }))
}

export interface CommitBoundaryOptions {
  /** Another seed cuts other transactions; default 1. */
  readonly seed?: number
  /** How many ways of cutting are tried; default 25. */
  readonly runs?: number
  readonly disturbancesMax?: number
  /**
   * Topics whose records are compared; default: all that the pipeline writes to. What several tasks write to one partition
   * is there in an order that is chance, and which row a repartitioned record meets in a table may be too: name the topics
   * that have an order.
   */
  readonly outputs?: readonly string[]
  /** Stores whose rows are compared; default all. */
  readonly stores?: readonly string[]
  /** Stores of which keys and values are compared, and not the times of their rows. */
  readonly untimedStores?: readonly string[]
  readonly driver?: TestDriverOptions
}

/** A memtable that is due at once: engines are written often, so that a crash has something to lose. */
const EAGER_FLUSH = { memtableBytesMax: 1, memtableAgeMs: 0 }

const RUNS = 25
const DISTURBANCES_MAX = 25
/** Attempts to make a difference smaller. */
const SHRINKS_MAX = 500

/** By topic or store, what is there in the end. */
type Result = ReadonlyMap<string, readonly unknown[]>

interface Difference {
  readonly where: string
  readonly expected: unknown
  readonly found: unknown
}

interface Case {
  readonly inputs: readonly Input[]
  readonly disturbances: readonly Disturbance[]
}

export async function assertCommitBoundariesDoNotMatter(
  pipeline: Pipeline<any>,
  given: readonly Input[],
  options: CommitBoundaryOptions = {},
): Promise<void> {
  const { seed = 1, runs = RUNS, disturbancesMax = DISTURBANCES_MAX } = options
  const random = new SeededRandom(seed)
  const expected = await resultOf(pipeline, { inputs: given, disturbances: [] }, options)
  for (let run = 1; run <= runs; run++) {
    const one: Case = { inputs: given, disturbances: randomDisturbances(random, disturbancesMax) }
    const difference = firstDifference(expected, await resultOf(pipeline, one, options))
    if (difference === undefined) continue
    throw new Error(explain(pipeline.name, seed, run, ...(await smallest(pipeline, one, difference, options))))
  }
}

async function resultOf(pipeline: Pipeline<any>, one: Case, options: CommitBoundaryOptions): Promise<Result> {
  await using driver = await TestDriver.start(pipeline, { flushLimits: EAGER_FLUSH, ...options.driver })
  for (const { topic, record } of one.inputs) driver.send(topic, record)
  for (const disturbance of one.disturbances) await disturb(driver, disturbance)
  await driver.run()
  const result = new Map<string, unknown[]>()
  for (const topic of options.outputs ?? driver.outputTopics) {
    for (const [partition, log] of driver.cluster.logs(topic).entries()) {
      const records = log.committed(0).map(({ key, value, timestamp, headers }) => ({
        key: text(key),
        value: text(value),
        timestamp,
        headers: headers.map((header) => [header.key, text(header.value)]),
      }))
      result.set(`topic "${topic}", partition ${partition}`, records)
    }
  }
  for (const store of options.stores ?? driver.stores) {
    const rows = driver.rows(store)
    const isUntimed = options.untimedStores?.includes(store)
    result.set(`store "${store}"`, isUntimed ? rows.map(({ key, value }) => ({ key, value })) : rows)
  }
  return result
}

/** Bytes as they read best: as text, or in hexadecimal where they are none. */
function text(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null
  const written = Buffer.from(bytes).toString("utf8")
  return written.includes("\uFFFD") ? `0x${Buffer.from(bytes).toString("hex")}` : written
}

function firstDifference(expected: Result, found: Result): Difference | undefined {
  for (const [name, wanted] of expected) {
    const had = found.get(name) ?? []
    for (let at = 0; at < Math.max(wanted.length, had.length); at++) {
      if (!isDeepStrictEqual(wanted[at], had[at]))
        return { where: `${name}, number ${at + 1}`, expected: wanted[at], found: had[at] }
    }
  }
  return undefined
}

/** Leaves out what is not needed: halves first, then ever smaller parts; and processes one record where that is enough. */
async function smallest(
  pipeline: Pipeline<any>,
  one: Case,
  difference: Difference,
  options: CommitBoundaryOptions,
): Promise<[Case, Difference]> {
  let best = one
  let told = difference
  let attempts = 0
  const isSmaller = async (tried: Case): Promise<boolean> => {
    if (attempts++ >= SHRINKS_MAX) return false
    const expected = await resultOf(pipeline, { ...tried, disturbances: [] }, options)
    const found = firstDifference(expected, await resultOf(pipeline, tried, options))
    if (found === undefined) return false
    best = tried
    told = found
    return true
  }
  for (const part of ["disturbances", "inputs", "disturbances"] as const) {
    for (let size = Math.ceil(best[part].length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < best[part].length;) {
        const rest = [...best[part].slice(0, from), ...best[part].slice(from + size)]
        if (!(await isSmaller({ ...best, [part]: rest }))) from += size
      }
    }
    for (const [at, { kind }] of best.disturbances.entries()) {
      if (kind !== "process") continue
      await isSmaller({ ...best, disturbances: best.disturbances.with(at, { kind, records: 1 }) })
    }
  }
  return [best, told]
}

const show = (value: unknown): string => inspect(value, { depth: 6, breakLength: Number.POSITIVE_INFINITY })

function explain(name: string, seed: number, run: number, one: Case, { where, expected, found }: Difference): string {
  return [
    `pipeline "${name}": where transactions end shows in what it writes (seed ${seed}, run ${run})`,
    `  ${where}`,
    `    in one transaction:  ${expected === undefined ? "nothing" : show(expected)}`,
    `    cut up:              ${found === undefined ? "nothing" : show(found)}`,
    "  inputs:",
    ...one.inputs.map(({ topic, record }) => `    ${topic.name} ${show(record)}`),
    `  transactions: ${one.disturbances.map(describeDisturbance).join("; ")}`,
  ].join("\n")
}
