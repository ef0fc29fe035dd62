/**
 * What the pipeline of the streams suite must have put out, computed from its input in the plainest way.
 */
import { type EventValue, GRACE_MS, WINDOW_MS, windowName } from "../workload/pipeline.ts"

export interface Expected {
  /** Per key of an output: the ids of its events, by the input partition that they came from, in order. */
  readonly joined: ReadonlyMap<string, readonly (readonly string[])[]>
  readonly counts: ReadonlyMap<string, readonly (readonly string[])[]>
  readonly windows: ReadonlyMap<string, readonly (readonly string[])[]>
  /** Of all events but those that are filtered out. */
  readonly ids: ReadonlySet<string>
  readonly records: { readonly joined: number; readonly counts: number; readonly windows: number }
  /** Events that came too late for their window. */
  readonly late: number
  /** Windows that start later may not have been forgotten. */
  readonly openAfter: number
}

type Lists = Map<string, string[][]>

/** `input` has the events of each partition in the order of the log. */
export function expectedOf(input: readonly (readonly EventValue[])[]): Expected {
  const [joined, counts, windows] = [new Map(), new Map(), new Map()] as [Lists, Lists, Lists]
  let late = 0
  let latest = 0
  for (const [partition, events] of input.entries()) {
    let time = 0
    const add = (lists: Lists, key: string, id: string) => {
      let list = lists.get(key)
      if (list === undefined) lists.set(key, (list = input.map(() => [])))
      list[partition]!.push(id)
    }
    for (const { id, key, word, at, isNoise } of events) {
      if (isNoise) continue
      time = Math.max(time, at)
      add(joined, key, id)
      add(counts, word, id)
      const start = Math.floor(at / WINDOW_MS) * WINDOW_MS
      if (start + WINDOW_MS > time - GRACE_MS) add(windows, windowName(word, start), id)
      else late++
    }
    latest = Math.max(latest, time)
  }
  const total = sizeOf(joined)
  const records = { joined: total, counts: total, windows: total - late }
  const ids = new Set(input.flat().flatMap(({ id, isNoise }) => (isNoise ? [] : [id])))
  return { joined, counts, windows, ids, records, late, openAfter: latest - WINDOW_MS - GRACE_MS }
}

const sizeOf = (lists: Lists): number => [...lists.values()].flat(2).length
