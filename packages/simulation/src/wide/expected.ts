/**
 * What the wide pipeline must have put out, computed from what stands in its input topics in the plainest way: loops over
 * arrays, and nothing of streams.
 *
 * A result belongs to a key and to the input partition that it came from. Within these its order is that of the input; the
 * results of several partitions under one key may mix as they like.
 */
import {
  type Click,
  CLOSE_AFTER_MS,
  GRACE_MS,
  JOIN_WITHIN_MS,
  SESSION_GAP_MS,
  SESSION_GRACE_MS,
  type WideEvent,
  WINDOW_MS,
  windowName,
} from "./input.ts"
import type { ClosedResult, ResultName, SessionResult } from "./pipeline.ts"

/** By key, then by input partition: the ids of the events that must have a result, in order. */
export type Sequences = ReadonlyMap<string, readonly (readonly string[])[]>

export interface WideExpected {
  readonly joined: Sequences
  readonly letters: Sequences
  readonly counts: Sequences
  readonly windows: Sequences
  /** By key: every change of its sessions, as JSON, in order. */
  readonly sessions: ReadonlyMap<string, readonly string[]>
  /** By key: "event+click@timestamp", sorted. */
  readonly pairs: ReadonlyMap<string, readonly string[]>
  readonly closed: ReadonlyMap<string, ClosedResult>
  readonly totals: Readonly<Record<ResultName, number>>
  /** Too late for their window, and for their session. */
  readonly late: { readonly windows: number; readonly sessions: number }
}

/** Each input by partition, in the order of the log. */
export function wideExpected(
  events: readonly (readonly WideEvent[])[],
  clicks: readonly (readonly Click[])[],
): WideExpected {
  const lists = () => new Map<string, string[][]>()
  const [joined, letters, counts, windows] = [lists(), lists(), lists(), lists()]
  const sessions = new Map<string, string[]>()
  const pairs = new Map<string, string[]>()
  const closed = new Map<string, { n: number; idSum: number }>()
  const late = { windows: 0, sessions: 0 }
  for (const [partition, all] of events.entries()) {
    const clean = all.filter(({ isNoise }) => !isNoise)
    const add = (sequences: Map<string, string[][]>, key: string, id: string) => {
      let list = sequences.get(key)
      if (list === undefined) sequences.set(key, (list = events.map(() => [])))
      list[partition]!.push(id)
    }
    let time = 0
    for (const { id, key, word, at, isPoison, isLate } of clean) {
      time = Math.max(time, at)
      add(isPoison ? letters : joined, key, id)
      add(counts, word, id)
      const start = Math.floor(at / WINDOW_MS) * WINDOW_MS
      if (start + WINDOW_MS > time - GRACE_MS) add(windows, windowName(word, start), id)
      else late.windows++
      if (isLate) continue
      const window = closed.get(windowName(word, start)) ?? { n: 0, idSum: 0 }
      closed.set(windowName(word, start), { n: window.n + 1, idSum: window.idSum + Number(id) })
    }
    late.sessions += addSessions(clean, sessions)
    addPairs(clean, clicks[partition]!, pairs)
  }
  // No partition goes below the least of all partitions' times; later windows are still open.
  const ends = Math.min(
    ...events.map((all) => all.reduce((time, one) => (one.isNoise || one.isLate ? time : Math.max(time, one.at)), 0)),
  )
  for (const name of closed.keys())
    if (Number(name.split("@")[1]) + WINDOW_MS + CLOSE_AFTER_MS > ends) closed.delete(name)
  const totals = {
    joined: sizeOf(joined),
    letters: sizeOf(letters),
    counts: sizeOf(counts),
    windows: sizeOf(windows),
    sessions: [...sessions.values()].flat().length,
    pairs: [...pairs.values()].flat().length,
    closed: closed.size,
  }
  return { joined, letters, counts, windows, sessions, pairs, closed, totals, late }
}

const sizeOf = (sequences: Sequences): number => [...sequences.values()].flat(2).length

interface Session {
  readonly start: number
  readonly end: number
  readonly ids: readonly string[]
}

/** One partition's; answers how many events were too late. */
function addSessions(clean: readonly WideEvent[], changes: Map<string, string[]>): number {
  const open = new Map<string, Session[]>()
  let [time, late] = [0, 0]
  for (const { id, key, at } of clean) {
    time = Math.max(time, at)
    const past = time - SESSION_GAP_MS - SESSION_GRACE_MS
    const sessions = (open.get(key) ?? []).filter(({ end }) => end >= past)
    const met = sessions.filter(({ start, end }) => end >= at - SESSION_GAP_MS && start <= at + SESSION_GAP_MS)
    const start = Math.min(at, ...met.map((one) => one.start))
    const end = Math.max(at, ...met.map((one) => one.end))
    if (end < past) {
      late++
      continue
    }
    const one = { start, end, ids: [...met.flatMap(({ ids }) => ids), id] }
    const rest = sessions.filter((session) => !met.includes(session))
    open.set(
      key,
      [...rest, one].sort((left, right) => left.start - right.start),
    )
    const told: SessionResult[] = [...met.map((old) => ({ start: old.start, end: old.end, ids: null })), one]
    const list = changes.get(key) ?? []
    list.push(...told.map((change) => JSON.stringify(change)))
    changes.set(key, list)
  }
  return late
}

function addPairs(clean: readonly WideEvent[], clicks: readonly Click[], pairs: Map<string, string[]>): void {
  const byKey = Map.groupBy(clicks, ({ key }) => key)
  for (const { id, key, at } of clean) {
    for (const click of byKey.get(key) ?? []) {
      if (Math.abs(click.at - at) > JOIN_WITHIN_MS) continue
      const list = pairs.get(key) ?? []
      list.push(pairName(id, click.id, Math.max(at, click.at)))
      pairs.set(key, list)
    }
  }
  for (const list of pairs.values()) list.sort()
}

export const pairName = (event: string, click: string, timestamp: number): string => `${event}+${click}@${timestamp}`
