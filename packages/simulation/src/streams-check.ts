/**
 * What a run of the streams suite left: results, changelogs and engines against what its input asks for.
 */
import { canonicalKey } from "@millrace/streams"
import { bytesOf } from "@millrace/streams/state/byte-order"
import { isCellKey } from "@millrace/streams/state/store"
import { changelogTopic } from "@millrace/streams/topology/naming"
import { closedWindows } from "./checker/closed-windows.ts"
import { exactResults, forwardRows } from "./checker/exact-results.ts"
import type { Expected } from "./checker/expected.ts"
import { observed } from "./checker/observed.ts"
import { type Change, engineMatches, replay } from "./checker/state.ts"
import { read } from "./installation.ts"
import type { Application } from "./workload/application.ts"
import type { EventWriter } from "./workload/event-writer.ts"
import type { Observer } from "./workload/observer.ts"
import {
  APPLICATION,
  type ClosedValue,
  type CountValue,
  type JoinedValue,
  LATE,
  OUTPUTS,
  STORES,
  TOPICS,
  windowName,
} from "./workload/pipeline.ts"
import { readRecords } from "./workload/read-log.ts"
import { BROKER_ADDRESS, type World } from "./world.ts"

export interface LeftBehind {
  readonly world: World
  readonly partitions: number
  readonly writer: EventWriter
  readonly expected: Expected
  readonly observers: readonly Observer[]
  readonly applications: readonly Application[]
  /** Windows are put out when they close: what is in which is not told by the input alone. */
  readonly closesWindows: boolean
}

const READ_MS = 180_000
const WINDOW_START_BYTES = 8
const decoder = new TextDecoder()

export async function checkResults(left: LeftBehind): Promise<string[]> {
  const { world, partitions, writer, expected, observers, applications, closesWindows } = left
  const input = await read(world, TOPICS.events, partitions, "read_uncommitted")
  if (input === undefined) return ["the input could not be read"]
  const findings: string[] = []
  for (const [partition, events] of writer.sent.entries()) {
    const sent = events.map((event) => JSON.stringify(event))
    if (sent.join("\n") !== input[partition]!.map(({ value }) => value).join("\n"))
      findings.push(`${TOPICS.events}-${partition} is not what was sent`)
  }
  for (const [index, topic] of OUTPUTS.entries()) {
    const log = await read(world, topic, partitions, "read_committed")
    if (log === undefined) return [...findings, `${topic} could not be read`]
    const values = log.flat().map(({ value }) => JSON.parse(value) as JoinedValue & CountValue & ClosedValue)
    if (topic !== TOPICS.windows || !closesWindows) findings.push(...exactResults(topic, values, expected[topic]))
    else {
      const late = await read(world, LATE, partitions, "read_committed")
      if (late === undefined) return [...findings, `${LATE} could not be read`]
      findings.push(...closedWindows(values, late.flat().map(idOf), expected.ids))
    }
    if (topic === TOPICS.joined) findings.push(...forwardRows(values, writer.rows))
    for (const [partition, seen] of observers[index]!.seen.entries())
      findings.push(...observed(`${topic}-${partition}`, seen, log[partition]!))
  }
  const changelogs = new Map<string, Change[][]>()
  for (const store of storesOf(applications)) {
    const changes = await readChangelog(world, changelogTopic(APPLICATION, store), partitions)
    if (changes === undefined) return [...findings, `the changelog of ${store} could not be read`]
    changelogs.set(store, changes)
  }
  findings.push(...checkState(changelogs, left))
  for (const { name, state } of applications) {
    for (const { store, partition, content } of state.contents()) {
      const where = `the engine ${store}-${partition} on ${name}`
      findings.push(...engineMatches(where, content, changelogs.get(store)![partition]!))
    }
  }
  return findings
}

const idOf = ({ value }: { readonly value: string }): string => (JSON.parse(value) as { readonly id: string }).id

/** The pipeline's, and that of its table, whatever it is called. */
function storesOf(applications: readonly Application[]): string[] {
  const found = applications.flatMap(({ state }) => state.contents().map(({ store }) => store))
  return [...new Set([...found, ...Object.values(STORES)])].sort()
}

async function readChangelog(world: World, topic: string, partitions: number): Promise<Change[][] | undefined> {
  const process = world.machine("reader").start()
  let changes: Change[][] | undefined
  world.spawn(process, async () => {
    changes = await readRecords(process, BROKER_ADDRESS, topic, partitions, "read_committed", (record) => ({
      offset: record.offset,
      timestamp: record.timestamp,
      key: new Uint8Array(record.key()!),
      value: copyOf(record.value()),
    }))
  })
  const untilMs = world.scheduler.nowMs + READ_MS
  await world.scheduler.run({ untilMs, until: () => changes !== undefined || world.faults.length > 0 })
  process.kill()
  return changes
}

const copyOf = (bytes: Uint8Array | null): Uint8Array | null => bytes && new Uint8Array(bytes)

/** The last state in the changelogs is the last result. */
function checkState(changelogs: ReadonlyMap<string, readonly (readonly Change[])[]>, left: LeftBehind): string[] {
  const { counts, windows, openAfter } = left.expected
  const findings: string[] = []
  const words = rowsOf(changelogs.get(STORES.words)!)
  const wordOf = (key: Uint8Array) => String(canonicalKey.decode(key))
  const lastOf = (lists: readonly (readonly string[])[]) => lists.flat().length
  const inState = new Map([...words].map(([key, n]) => [wordOf(bytesOf(key)), n]))
  for (const [word, lists] of counts) {
    if (inState.get(word) !== lastOf(lists))
      findings.push(`the state of ${word} is ${inState.get(word)}, not ${lastOf(lists)}`)
  }
  if (left.closesWindows) return findings
  const windowed = new Map<string, number>()
  for (const [key, n] of rowsOf(changelogs.get(STORES.windowed)!)) {
    const bytes = Buffer.from(bytesOf(key))
    windowed.set(windowName(wordOf(bytes.subarray(WINDOW_START_BYTES)), Number(bytes.readBigUInt64BE())), n)
  }
  for (const [name, lists] of windows) {
    const n = windowed.get(name)
    const isOpen = Number(name.split("@")[1]) > openAfter
    // What a transaction did to a window that it also leaves behind is not written: nobody can read it, and it is deleted.
    if (isOpen ? n !== lastOf(lists) : n !== undefined && n > lastOf(lists))
      findings.push(`the state of window ${name} is ${n}, not ${lastOf(lists)}`)
  }
  return findings
}

/** The number in each row; the cells of stores left out. */
function rowsOf(changelog: readonly (readonly Change[])[]): Map<string, number> {
  const rows = new Map<string, number>()
  for (const changes of changelog) {
    for (const [key, { value }] of replay(changes))
      if (!isCellKey(key)) rows.set(key, (JSON.parse(decoder.decode(value!)) as CountValue).n)
  }
  return rows
}
