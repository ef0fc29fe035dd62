/**
 * The wide pipeline: one transaction spans what people build from, with state of every kind. What it must compute is
 * written down a second time, without streams, in expected.ts.
 *
 *     events -> filter -+-> mapEffect -> map that may throw -> join rows -> joined, and letters
 *                       +-> join clicks within a window ------------------> pairs
 *                       +-> sessions by key ------------------------------> sessions
 *                       +-> key by word -> count per word ----------------> counts
 *                       +-> key by word -> count per window and word -----> windows
 *                       +-> key by word -> process with timers -----------> closed
 *
 * Every result names its events, so that one missing, twice or of an aborted transaction is seen. What each branch puts
 * out is a function of the order within each input partition, whatever the processes do.
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Effect } from "effect"
import {
  type Click,
  CLOSE_AFTER_MS,
  GRACE_MS,
  JOIN_GRACE_MS,
  JOIN_WITHIN_MS,
  SESSION_GAP_MS,
  SESSION_GRACE_MS,
  type WideEvent,
  WINDOW_MS,
  windowName,
} from "./input.ts"

export const INPUTS = ["events", "clicks", "rows"] as const
export const RESULTS = ["joined", "letters", "pairs", "sessions", "counts", "windows", "closed"] as const
export type InputName = (typeof INPUTS)[number]
export type ResultName = (typeof RESULTS)[number]
/** The topic of an input or a result, where several applications share a cluster. */
export const topicName = (application: string, name: InputName | ResultName): string => `${application}.${name}`

export interface Mark {
  readonly id: string
  readonly word: string
}

export interface JoinedResult {
  readonly id: string
  readonly version: number
}

export interface PairResult {
  readonly event: string
  readonly click: string
}

export interface CountResult {
  readonly n: number
  readonly id: string
}

export interface ClosedResult {
  readonly n: number
  readonly idSum: number
}

export interface SessionResult {
  readonly start: number
  readonly end: number
  /** null: the session goes on under other bounds. */
  readonly ids: readonly string[] | null
}

const EFFECT_TIMEOUT_MS = 2_000
const EFFECT_MS_MAX = 4

export function widePipeline(application: string): S.Pipeline<never> {
  const topic = <V>(name: InputName | ResultName) =>
    S.topic(topicName(application, name), { key: string, value: json<V>() })
  return S.pipeline(application, () => {
    const events = S.stream(topic<WideEvent>("events")).pipe(S.filter((event) => !event.isNoise))
    const joined = events.pipe(
      S.mapEffect((event) => Effect.as(Effect.sleep(Math.floor(event.at / 10) % EFFECT_MS_MAX), event), {
        name: "slow",
        concurrency: 16,
        timeout: EFFECT_TIMEOUT_MS,
      }),
      S.guard({ deadLetter: topic<WideEvent>("letters") }, S.map(digest)),
      S.joinTable("row", S.table(topic<number>("rows")), ({ id }, version): JoinedResult => ({ id, version })),
      S.to(topic<JoinedResult>("joined")),
    )
    const pairs = events.pipe(
      S.joinStream(
        "pairs",
        S.stream(topic<Click>("clicks")),
        { within: JOIN_WITHIN_MS, grace: JOIN_GRACE_MS },
        (event, click): PairResult => ({ event: event.id, click: click.id }),
      ),
      S.to(topic<PairResult>("pairs")),
    )
    const sessions = events.pipe(
      S.window(S.session(SESSION_GAP_MS, { grace: SESSION_GRACE_MS })),
      S.aggregate("sessions", {
        init: (): string[] => [],
        // Changed in place, as people do: an abort must forget it all the same.
        add: (ids, { id }) => {
          ids.push(id)
          return ids
        },
        merge: (left, right) => [...left, ...right],
        value: json<string[]>(),
      }),
      S.toStream(),
      S.tombstones(),
      S.mapRecord(({ key: { key, start, end }, value }) => ({ key, value: { start, end, ids: value } })),
      S.to(topic<SessionResult>("sessions")),
    )
    const words = events.pipe(
      S.map(({ id, word }): Mark => ({ id, word })),
      S.keyBy(({ word }) => word, { value: json<Mark>() }),
    )
    const counts = words.pipe(
      S.aggregate("words", {
        init: (): CountResult => ({ n: 0, id: "" }),
        add: ({ n }, { id }) => ({ n: n + 1, id }),
        value: json<CountResult>(),
      }),
      S.toStream(),
      S.to(topic<CountResult>("counts")),
    )
    const windows = words.pipe(
      S.window(S.tumbling(WINDOW_MS, { grace: GRACE_MS })),
      S.aggregate("windowed", {
        init: (): CountResult => ({ n: 0, id: "" }),
        add: ({ n }, { id }) => ({ n: n + 1, id }),
        value: json<CountResult>(),
      }),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: windowName(key.key, key.start), value })),
      S.to(topic<CountResult>("windows")),
    )
    const closed = events.pipe(
      S.filter((event) => !event.isLate),
      S.keyBy(({ word }) => word, { value: json<WideEvent>() }),
      S.process(
        "closing",
        { stores: { open: Open }, timers: true, key: string, value: json<ClosedResult>() },
        ({ stores: { open }, timers, forward }) => ({
          process({ key, value: { id, at } }) {
            const start = Math.floor(at / WINDOW_MS) * WINDOW_MS
            const { n, idSum } = open.get(windowName(key, start)) ?? { n: 0, idSum: 0 }
            open.put(windowName(key, start), { n: n + 1, idSum: idSum + Number(id) })
            timers.set(key, start + WINDOW_MS + CLOSE_AFTER_MS)
          },
          onTimer(key, time) {
            const name = windowName(key, time - WINDOW_MS - CLOSE_AFTER_MS)
            forward({ key: name, value: open.get(name)! })
            open.delete(name)
          },
        }),
      ),
      S.to(topic<ClosedResult>("closed")),
    )
    return [joined, pairs, sessions, counts, windows, closed]
  })
}

const Open = S.keyValueStore("open", { key: string, value: json<ClosedResult>() })

function digest({ id, word, isPoison }: WideEvent): Mark {
  if (isPoison) throw new RangeError(`event ${id} is poison`)
  return { id, word }
}
