/**
 * The pipeline of the streams suite: everything that a transaction spans. What it must compute is written down a second
 * time, without streams, in checker/expected.ts.
 *
 *     events -> filter -> map -+-> [mapEffect] -> join rows ----------------> joined
 *                              +-> [rx] -> key by word -> count per word ----> counts
 *                              +-> key by word -> count per window and word -> windows
 *
 * With `idleAfterMs` windows are put out once, when they close, with all their events, by the wall clock too where a partition
 * has none; what comes too late then goes to `late`. Which it is depends on when what comes.
 *
 * Every result names its event, so that one missing, twice or of an aborted transaction is seen.
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Effect } from "effect"
import { map as rxMap } from "rxjs"

export interface EventValue {
  /** Ascending numbers, in the order in which they were sent. */
  readonly id: string
  readonly key: string
  /** Event time. */
  readonly at: number
  readonly word: string
  /** The filter takes it out. */
  readonly isNoise: boolean
}

export interface JoinedValue {
  readonly key: string
  readonly id: string
  readonly version: number
}

/** The n-th event of a word, or of a word in a window. */
export interface CountValue {
  readonly key: string
  readonly n: number
  readonly id: string
}

export const APPLICATION = "app"
export const TOPICS = {
  events: "events",
  rows: "rows",
  joined: "joined",
  counts: "counts",
  windows: "windows",
} as const
export const OUTPUTS = [TOPICS.joined, TOPICS.counts, TOPICS.windows] as const
export const STORES = { words: "words", windowed: "windowed" } as const
export const WINDOW_MS = 1_000
export const GRACE_MS = 600
/** How far the time of events is behind the clock. */
export const EVENTS_BEHIND_MS = 3_600_000
const EFFECT_MS_MAX = 20
const EFFECT_TIMEOUT_MS = 240

export interface Variant {
  readonly hasEffects: boolean
  readonly hasRx: boolean
  /** After so long partitions of events are idle, and time follows the wall clock. */
  readonly idleAfterMs?: number
}

/** A window that is put out when it closes. */
export interface ClosedValue {
  readonly key: string
  readonly ids: readonly string[]
}

/** Of events that came too late for a window that is put out when it closes. */
export const LATE = "late"

/** How many times what is to fail still does. */
export interface Trouble {
  source: number
  operator: number
  sink: number
}

/** Made to happen by a case: whoever runs the application starts it again. */
export class Injected extends Error {
  override readonly name = "Injected"
}

export const noTrouble = (): Trouble => ({ source: 0, operator: 0, sink: 0 })

function suffer(trouble: Trouble, what: keyof Trouble): void {
  if (trouble[what] === 0) return
  trouble[what]--
  throw new Injected(`the ${what} fails`)
}

const Rows = S.topic(TOPICS.rows, { key: string, value: json<number>() })
const Counts = S.topic(TOPICS.counts, { key: string, value: json<CountValue>() })
const Late = S.topic(LATE, { key: string, value: json<Mark>() })
const Windows = S.topic(TOPICS.windows, { key: string, value: json<CountValue>() })

interface Row {
  key: string
  n: number
  id: string
}

interface Mark {
  readonly id: string
  readonly word: string
}

export function makePipeline({ hasEffects, hasRx, idleAfterMs }: Variant, trouble = noTrouble()): S.Pipeline<never> {
  const events = json<EventValue>()
  const joins = json<JoinedValue>()
  const decode: typeof events.decode = (bytes) => {
    suffer(trouble, "source")
    return events.decode(bytes)
  }
  const encode: typeof joins.encode = (value) => {
    suffer(trouble, "sink")
    return joins.encode(value)
  }
  const Events = S.topic(TOPICS.events, { key: string, value: { ...events, decode } })
  const Joined = S.topic(TOPICS.joined, { key: string, value: { ...joins, encode } })
  return S.pipeline(APPLICATION, () => {
    const events = S.stream(Events, idleAfterMs === undefined ? {} : followingClock(idleAfterMs)).pipe(
      S.filter((event) => !event.isNoise),
      S.map(({ id, word }): Mark => {
        suffer(trouble, "operator")
        return { id, word }
      }),
    )
    const slow = hasEffects
      ? events.pipe(
          S.mapEffect((mark) => Effect.as(Effect.sleep(Number(mark.id) % EFFECT_MS_MAX), mark), {
            name: "slow",
            concurrency: 3,
            timeout: EFFECT_TIMEOUT_MS,
          }),
        )
      : events
    const joined = slow.pipe(
      S.joinTable("row", S.table(Rows), ({ id }, version, { key }): JoinedValue => ({ key, id, version })),
      S.to(Joined),
    )
    const direct = hasRx
      ? events.pipe(S.rx((marks$) => marks$.pipe(rxMap((record) => record.with(record.value)))))
      : events
    const counts = direct.pipe(
      S.keyBy(({ word }) => word, { value: json<Mark>() }),
      S.aggregate(STORES.words, {
        init: (): CountValue => ({ key: "", n: 0, id: "" }),
        add: ({ n }, { id }, key) => ({ key, n: n + 1, id }),
        value: json<CountValue>(),
      }),
      S.toStream(),
      S.to(Counts),
    )
    const byWord = events.pipe(S.keyBy(({ word }) => word, { value: json<Mark>() }))
    if (idleAfterMs !== undefined) return [joined, counts, closing(byWord)]
    const windows = byWord.pipe(
      S.window(S.tumbling(WINDOW_MS, { grace: GRACE_MS })),
      S.aggregate(STORES.windowed, {
        init: (): Row => ({ key: "", n: 0, id: "" }),
        // Changed in place, as people do: an abort must forget it all the same.
        add: (row, { id }, { key, start }) => {
          row.key = windowName(key, start)
          row.n++
          row.id = id
          return row
        },
        value: json<Row>(),
      }),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: windowName(key.key, key.start), value: value as CountValue })),
      S.to(Windows),
    )
    return [joined, counts, windows]
  })
}

/** Event time is then about that of the clock. */
const followingClock = (idleAfter: number): S.SourceOptions<string, EventValue> => ({
  idleAfter,
  whenIdle: "wall-clock",
  timestamp: ({ at }) => at + EVENTS_BEHIND_MS,
})

const closing = (byWord: S.Stream<string, Mark>) =>
  byWord.pipe(
    S.window(S.tumbling(WINDOW_MS, { grace: GRACE_MS, emit: "on-window-close", lateTo: Late })),
    S.aggregate(STORES.windowed, {
      init: (): string[] => [],
      add: (ids, { id }) => [...ids, id],
      value: json<string[]>(),
    }),
    S.toStream(),
    S.mapRecord(({ key, value: ids }) => {
      const name = windowName(key.key, key.start)
      return { key: name, value: { key: name, ids } satisfies ClosedValue }
    }),
    S.to(S.topic(TOPICS.windows, { key: string, value: json<ClosedValue>() })),
  )

export const windowName = (word: string, start: number): string => `${word}@${start}`
