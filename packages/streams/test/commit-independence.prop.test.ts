/**
 * What commits when must not be seen: the same inputs, cut into transactions at random, with random aborts, failed and
 * killed commits, lost engine writes and moves to another worker, give the outputs and the state of one transaction.
 */
import { COMMIT_STEPS, TestDriver, type TestDriverOptions } from "@millrace/testing"
import { json, string } from "@millrace/schema"
import { Effect } from "effect"
import fc from "fast-check"
import { filter as rxFilter, map as rxMap } from "rxjs"
import { expect, test } from "vitest"
import * as S from "../src/index.ts"
import { type Event, Events, flat, Other, Out, type Pipelines, Rows } from "./events.ts"
import { JOIN_PIPELINES, MEETS, UNTIMED } from "./join-pipelines.ts"
import { TABLE_PIPELINES } from "./table-pipelines.ts"
import { WINDOW_PIPELINES } from "./window-pipelines.ts"

/** Every operator that is built, with what it may meet; tables and joins in files of their own. */
const PIPELINES: Pipelines = [
  ...TABLE_PIPELINES,
  ...JOIN_PIPELINES,
  ...WINDOW_PIPELINES,
  [
    "stateless",
    () =>
      S.stream(Events).pipe(
        S.filter((event) => event.amount % 3 !== 0),
        S.map((event) => event.amount * 2),
        S.flatMap((amount) => [amount, amount + 1]),
        S.to(Out),
      ),
    [],
  ],
  [
    "several sinks of one stream, by partitioner and through a repartition",
    () => {
      const events = S.stream(Events)
      return [
        events.pipe(
          S.tap(() => {}),
          S.flatMapRecord(({ key, value }) => [
            { key, value: value.amount },
            { key: value.group, value: -value.amount },
          ]),
          S.repartition("spread", { partitions: 1 }),
          S.to(Out),
        ),
        events.pipe(
          S.to(Other, { partitioner: (_, event, count) => (event?.amount === 3 ? [] : (event?.id ?? 0) % count) }),
        ),
      ]
    },
    [],
  ],
  [
    "a processor with a store, timers and punctuations, and another that shares the store",
    () => {
      const last = S.keyValueStore("last", { key: string, value: json<number>() })
      const open = S.stream(Events).pipe(
        S.process("silence", { stores: { last }, timers: true, value: json<any>() }, (context) => {
          context.schedule(15, "stream-time", (time) =>
            context.forward({ key: "tick", value: [time, [...context.stores.last.range()].length] }),
          )
          return {
            process({ key, value, timestamp }) {
              const before = context.stores.last.getStamped(key)
              if (before.value !== undefined) context.timers.delete(key, before.timestamp + 10)
              context.stores.last.put(key, value.amount)
              context.timers.set(key, timestamp + 10)
            },
            onTimer(key, time) {
              context.forward({ key, value: [time, context.stores.last.get(key)] })
              context.stores.last.delete(key)
            },
          }
        }),
      )
      const counted = S.stream(Events).pipe(
        S.processValues("entries", { stores: { last }, value: json<any>() }, ({ stores, forward }) => ({
          process: () => forward([...stores.last.range("a", "c")].map(({ key, value }) => [key, value])),
        })),
      )
      return [open.pipe(S.to(Out)), counted.pipe(S.to(Other))]
    },
    ["last", "silence-timers"],
  ],
  [
    "a processor behind effects of different length",
    () =>
      S.stream(Events).pipe(
        S.mapEffect((event) => Effect.as(Effect.sleep((event.amount * 7) % 11), event), {
          name: "slow",
          concurrency: 3,
          timeout: 1_000,
        }),
        S.process("silence", { timers: true, value: json<any>() }, (context) => {
          context.schedule(15, "stream-time", (time) => context.forward({ key: "tick", value: time }))
          return {
            process: ({ key, timestamp }) => context.timers.set(key, timestamp + 10),
            onTimer: (key, time) => context.forward({ key, value: time }),
          }
        }),
        S.to(Out),
      ),
    ["silence-timers"],
  ],
  [
    "records that fail, skipped",
    () => {
      const fails = (event: Event) => {
        if (event.amount % 3 === 0) throw new Error("no")
        return event
      }
      return S.stream(Events).pipe(
        S.guard("skip", S.map(fails)),
        S.guard(
          "skip",
          S.aggregate("lists", {
            init: (): number[] => [],
            add(list, event) {
              list.push(event.amount)
              if (event.amount === 4) throw new Error("no")
              return list.slice(-3)
            },
          }),
        ),
        S.toStream(),
        S.to(Out),
      )
    },
    ["lists"],
  ],
  [
    "time from the value, and records without one",
    () =>
      S.stream(Events, {
        timestamp: (event, record, partitionTime) =>
          event.amount === 5 ? -1 : event.amount === 6 ? partitionTime + 7 : record.timestamp + event.amount,
        onInvalidTimestamp: "skip",
      }).pipe(S.window(S.tumbling(10, { grace: 5 })), S.count("timed"), S.toStream(), flat, S.to(Out)),
    ["timed"],
  ],
  ["count", () => S.stream(Events).pipe(S.count("counts"), S.toStream(), S.to(Out)), ["counts"]],
  [
    "an aggregate changed in place, with deletions",
    () =>
      S.stream(Events).pipe(
        S.aggregate("lists", {
          init: (): number[] => [],
          add: (list, event) => {
            list.push(event.amount)
            return list.length > 3 ? (null as never) : list
          },
        }),
        S.toStream(),
        S.to(Out),
      ),
    ["lists"],
  ],
  [
    "reduce",
    () =>
      S.stream(Events).pipe(
        S.reduce("last", (_, event) => event),
        S.toStream(),
        S.to(Out),
      ),
    ["last"],
  ],
  [
    "tumbling windows with late records",
    () =>
      S.stream(Events).pipe(S.window(S.tumbling(10, { grace: 5 })), S.count("tumbling"), S.toStream(), flat, S.to(Out)),
    ["tumbling"],
  ],
  [
    "hopping windows with late records",
    () =>
      S.stream(Events).pipe(
        S.window(S.hopping(10, { advance: 4, grace: 3 })),
        S.aggregate("hopping", { init: () => 0, add: (sum, event) => sum + event.amount }),
        S.toStream(),
        flat,
        S.to(Out),
      ),
    ["hopping"],
  ],
  [
    "two repartitions and windows",
    () =>
      S.stream(Events).pipe(
        S.keyBy((event) => event.group),
        S.aggregate("by-group", { init: () => 0, add: (sum, event) => sum + event.amount }),
        S.toStream(),
        S.keyBy((sum) => sum % 2),
        S.window(S.tumbling(20, { grace: 10 })),
        S.count("by-parity"),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value })),
        S.to(Out),
      ),
    ["by-group", "by-parity"],
  ],
  [
    "sessions",
    () =>
      S.stream(Events).pipe(
        S.window(S.session(5, { grace: 5 })),
        S.count("sessions"),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}-${key.end}`, value })),
        S.to(Out),
      ),
    ["sessions", "sessions-ends"],
  ],
  [
    "branch and merge",
    () => {
      const { odd, even } = S.stream(Events).pipe(
        S.branch({ odd: (event) => event.amount % 2 === 1, even: () => true }),
      )
      return [
        odd.pipe(
          S.map((event) => ({ ...event, odd: true })),
          S.merge(even),
          S.count("merged"),
          S.toStream(),
          S.to(Out),
        ),
        even.pipe(S.to(Other)),
      ]
    },
    ["merged"],
  ],
  [
    "rx",
    () =>
      S.stream(Events).pipe(
        S.rx((records$) =>
          records$.pipe(
            rxFilter((record) => record.value.amount > 2),
            rxMap((record) => record.with(record.value.amount)),
          ),
        ),
        S.map((amount) => amount + 1),
        S.to(Out),
      ),
    [],
  ],
]

const KEYS = ["a", "b", "c"]
const key = fc.constantFrom(...KEYS)
const event = fc.record({ key, group: key, amount: fc.nat(9), step: fc.integer({ min: -12, max: 9 }) })
const row = fc.record({ key, label: fc.option(fc.constantFrom("x", "y", "z")), at: fc.nat(60) })
const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("process" as const), records: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("commit" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fault" as const),
      step: fc.constantFrom(...COMMIT_STEPS),
      fault: fc.constantFrom("crash" as const, "fail" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), lost: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("move" as const), loses: fc.boolean() }) },
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never
const inputs = fc.record({
  events: fc.array(event, { minLength: 1, maxLength: 25 }),
  rows: fc.array(row, { maxLength: 10 }),
})
type Inputs = typeof inputs extends fc.Arbitrary<infer T> ? T : never

async function result(
  name: string,
  pipeline: S.Pipeline<any>,
  stores: readonly string[],
  given: Inputs,
  actions: readonly Action[],
  options: TestDriverOptions,
) {
  // A memtable that is due at once: engines are written often, so that a crash has something to lose.
  const flushLimits = { memtableBytesMax: 1, memtableAgeMs: 0 }
  await using driver = await TestDriver.start(pipeline, { ...options, flushLimits })
  const topics = new Set(driver.cluster.topics)
  let time = 20
  for (const [id, { key, group, amount, step }] of given.events.entries()) {
    time = Math.max(0, time + step)
    driver.send(Events, { key, value: { id, group, amount }, timestamp: time })
  }
  if (topics.has("rows")) {
    for (const { key, label, at } of given.rows)
      driver.send(Rows, { key, value: label === null ? null : { label }, timestamp: at })
  }
  for (const one of actions) await act(driver, one)
  await driver.run()
  const read = (topic: S.Topic<string, any>) =>
    topics.has(topic.name) ? driver.read(topic).map((record) => ({ ...record, offset: undefined })) : []
  const rows = stores.map((store) => driver.rows(store))
  const compared = UNTIMED.has(name) ? rows.map((of) => of.map(({ key, value }) => ({ key, value }))) : rows
  return { out: read(Out), other: read(Other), rows: compared }
}

async function act(driver: TestDriver, one: Action): Promise<void> {
  if (one.kind === "process") driver.process(one.records)
  else if (one.kind === "commit") await driver.commit()
  else if (one.kind === "abort") await driver.abort()
  else if (one.kind === "crash") await driver.crash({ lostEngineWrites: one.lost })
  else if (one.kind === "move") await driver.move({ loseEngines: one.loses })
  else {
    driver.failAt(one.step, one.fault)
    driver.process(3)
    await driver.commit()
  }
}

test.each(PIPELINES)("%s", async (name, build, stores) => {
  const pipeline = S.pipeline("app", build)
  const property = fc.asyncProperty(inputs, fc.array(action, { maxLength: 25 }), async (given, actions) => {
    const expected = await result(name, pipeline, stores, given, [], {})
    const found = await result(name, pipeline, stores, given, actions, {})
    if (MEETS.has(name)) found.out = expected.out
    expect(found).toEqual(expected)
  })
  await fc.assert(property, { numRuns: 60 })
})

/** Where several tasks write one repartition topic, their order there is chance: what remains at the end is not. */
test.each(PIPELINES.filter(([, , stores]) => stores.length > 0))(
  "%s, on three partitions",
  async (name, build, stores) => {
    const pipeline = S.pipeline("app", build)
    const isOrdered = name !== "two repartitions and windows"
    const property = fc.asyncProperty(inputs, fc.array(action, { maxLength: 15 }), async (given, actions) => {
      const sorted = (rows: readonly any[]) => [...rows].map((one) => JSON.stringify(one)).sort()
      const expected = await result(name, pipeline, stores, given, [], { partitions: 3 })
      const found = await result(name, pipeline, stores, given, actions, { partitions: 3 })
      const compared = isOrdered ? stores : stores.slice(0, 1)
      for (const [index] of compared.entries())
        expect(sorted(found.rows[index]!)).toEqual(sorted(expected.rows[index]!))
    })
    await fc.assert(property, { numRuns: 25 })
  },
)
