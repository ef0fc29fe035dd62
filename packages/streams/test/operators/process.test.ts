/**
 * Processors of one's own (P1-P6): forwarding, stores, timers, punctuations, and what an abort takes back.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Second = S.topic("second", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const any = json<any>()

const rows = (driver: TestDriver) => driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])

/** One partition; each record is `[key, value, timestamp]`. */
async function started(build: () => S.Sink<never> | S.Sink<never>[], options: { startTimeMs?: number } = {}) {
  return await TestDriver.start(S.pipeline("app", build), options)
}

function send(driver: TestDriver, ...records: (readonly [string, number | null, number])[]): void {
  for (const [key, value, timestamp] of records) driver.send(In, { key, value, timestamp })
}

test("D10 P1 P5: forward is depth first, any number of times, and keeps time and headers unless told otherwise", async () => {
  const log: string[] = []
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.process("twice", { value: any }, (context) => ({
        process({ key, value, timestamp }) {
          context.forward({ key, value: `${value}a` })
          log.push("between")
          context.forward({ key: `${key}2`, value: `${value}b`, timestamp: timestamp + 1 })
        },
      })),
      S.tap((value) => void log.push(value)),
      S.to(Out),
    ),
  )
  driver.send(In, { key: "k", value: 1, timestamp: 5, headers: [{ key: "trace", value: Buffer.from("7") }] })
  await driver.run()
  expect(log).toEqual(["1a", "between", "1b"])
  expect(rows(driver)).toEqual([
    ["k", "1a", 5],
    ["k2", "1b", 6],
  ])
  expect(driver.read(Out).map(({ headers }) => headers.length)).toEqual([1, 1])
})

test("P2: a stream-time punctuation runs at the first record, then at multiples of its interval, once after a gap", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.process("ticks", { value: any }, (context) => {
        context.schedule(10, "stream-time", (time) => context.forward({ key: "tick", value: time }))
        return { process: ({ key, value }) => context.forward({ key, value }) }
      }),
      S.to(Out),
    ),
  )
  send(driver, ["a", 1, 13], ["a", 2, 19], ["a", 3, 20], ["a", 4, 57], ["a", 5, 30], ["a", 6, 60])
  await driver.run()
  expect(rows(driver)).toEqual([
    ["a", 1, 13],
    ["tick", 13, 13],
    ["a", 2, 19],
    ["a", 3, 20],
    ["tick", 20, 20],
    ["a", 4, 57],
    ["tick", 57, 57],
    ["a", 5, 30],
    ["a", 6, 60],
    ["tick", 60, 60],
  ])
})

test("K2 P3: a wall-clock punctuation runs an interval after the start; ticks that were missed are one", async () => {
  await using driver = await started(
    () =>
      S.stream(In).pipe(
        S.process("ticks", { value: any }, (context) => {
          context.schedule("1 second", "wall-clock", (time) => context.forward({ key: "tick", value: time }))
          return { process: () => {} }
        }),
        S.to(Out),
      ),
    { startTimeMs: 500 },
  )
  const seen = async (now: number) => {
    driver.clock.moveTo(now)
    await driver.run()
    return driver.read(Out).map(({ timestamp }) => timestamp)
  }
  expect(await seen(1_499)).toEqual([])
  expect(await seen(1_500)).toEqual([1_500])
  expect(await seen(1_900)).toEqual([1_500])
  expect(await seen(4_700)).toEqual([1_500, 4_700])
  expect(await seen(5_499)).toEqual([1_500, 4_700])
  await driver.crash()
  expect(await seen(5_500)).toEqual([1_500, 4_700, 5_500])
})

test("P3: rule 10: the wall clock is one time per transaction, and an abort takes punctuations back", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.process("times", { value: any }, (context) => {
        context.schedule(100, "wall-clock", (time) => context.forward({ key: "tick", value: time }))
        return { process: ({ key }) => context.forward({ key, value: context.now }) }
      }),
      S.to(Out),
    ),
  )
  driver.clock.moveTo(150)
  send(driver, ["a", 1, 1])
  driver.process()
  driver.clock.moveTo(400)
  send(driver, ["b", 1, 2])
  driver.process()
  await driver.abort()
  driver.clock.moveTo(420)
  driver.process()
  driver.clock.moveTo(450)
  send(driver, ["c", 1, 3])
  driver.process()
  await driver.commit()
  expect(rows(driver)).toEqual([
    ["tick", 420, 420],
    ["a", 420, 1],
    ["b", 420, 2],
    ["c", 420, 3],
  ])
})

test("P6: a store keeps what was put, sees its own writes, ranges in key order, and loses an abort's", async () => {
  const Seen = S.keyValueStore("seen", { key: string, value: json<number>() })
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.processValues("sums", { stores: { seen: Seen }, value: any }, ({ stores: { seen }, forward }) => ({
        process({ key, value }) {
          if (value === 0) seen.delete(key)
          else seen.put(key, (seen.get(key) ?? 0) + value)
          forward([...seen.range("a", "c")].map((entry) => `${entry.key}${entry.value}@${entry.timestamp}`).join())
        },
      })),
      S.to(Out),
    ),
  )
  send(driver, ["b", 1, 1], ["c", 2, 2])
  await driver.run()
  send(driver, ["a", 3, 3], ["b", 4, 4])
  driver.process()
  await driver.abort()
  await driver.run()
  send(driver, ["aa", 9, 5], ["a", 0, 6])
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([
    "b1@1",
    "b1@1",
    "a3@3,b1@1",
    "a3@3,b5@4",
    "a3@3,aa9@5,b5@4",
    "aa9@5,b5@4",
  ])
  await driver.crash({ loseEngines: true })
  expect(driver.rows("seen").map(({ key, value }) => [key, value])).toEqual([
    ["aa", 9],
    ["b", 5],
    ["c", 2],
  ])
})

test("P6: operators that are given one store share it, and their sub-topologies are one", async () => {
  const Shared = S.keyValueStore("shared", { key: string, value: json<number>() })
  await using driver = await started(() => {
    const writes = S.stream(In).pipe(
      S.processValues("write", { stores: { shared: Shared } }, ({ stores, forward }) => ({
        process({ key, value }) {
          stores.shared.put(key, value)
          forward(value)
        },
      })),
      S.forEach(() => {}),
    )
    const reads = S.stream(Second).pipe(
      S.processValues("read", { stores: { shared: Shared }, value: any }, ({ stores, forward }) => ({
        process: ({ key }) => forward(stores.shared.get(key) ?? "none"),
      })),
      S.to(Out),
    )
    return [writes, reads]
  })
  expect(driver.topology.subtopologies.length).toBe(1)
  send(driver, ["a", 7, 10])
  driver.send(Second, { key: "a", value: 0, timestamp: 5 }, { key: "a", value: 0, timestamp: 15 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual(["none", 7])
})

test("P6: a window store forgets by stream time", async () => {
  const Windows = S.windowStore("windows", { key: string, value: json<number>(), retention: 20 })
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.processValues(
        "windows-of",
        { stores: { windows: Windows }, value: any },
        ({ stores: { windows }, forward }) => ({
          process: ({ key, value, timestamp }) =>
            forward([windows.put(key, timestamp, value), windows.get(key, 10) ?? null, windows.get(key, 40) ?? null]),
        }),
      ),
      S.to(Out),
    ),
  )
  send(driver, ["a", 1, 10], ["a", 2, 29], ["a", 3, 30], ["a", 4, 40], ["a", 5, 15])
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([
    [true, 1, null],
    [true, 1, null],
    [true, null, null],
    [true, null, 4],
    [false, null, 4],
  ])
})

test("P7: a processor reads the rows of tables, derived ones too, as they were when its record came", async () => {
  await using driver = await started(() => {
    const rows = S.table(Second)
    return S.stream(In).pipe(
      S.keyBy((value) => `k${value}`),
      S.processValues(
        "looks",
        { tables: { rows, large: rows.pipe(S.filterTable((row) => row > 10)) }, value: any },
        ({ tables, forward }) => ({
          process: ({ key }) => forward([tables.rows.get(key) ?? null, tables.large.getStamped(key).value ?? null]),
        }),
      ),
      S.to(Out),
    )
  })
  expect([...driver.cluster.topics]).toContain("app-looks-repartition")
  const look = async (at: number) => {
    send(driver, ["x", 1, at])
    await driver.run()
    return driver.read(Out).at(-1)!.value
  }
  expect(await look(1)).toEqual([null, null])
  driver.send(Second, { key: "k1", value: 7, timestamp: 2 })
  expect(await look(3)).toEqual([7, null])
  driver.send(Second, { key: "k1", value: 70, timestamp: 4 })
  expect(await look(5)).toEqual([70, 70])
  await driver.crash({ loseEngines: true })
  expect(await look(6)).toEqual([70, 70])
})

/** Emits a key once it has been silent for 10 ms. */
const silence = () =>
  S.stream(In).pipe(
    S.process(
      "silence",
      { stores: { last: S.keyValueStore("last", { key: string, value: json<number>() }) }, timers: true, value: any },
      ({ stores: { last }, timers, forward }) => ({
        process({ key, value, timestamp }) {
          const before = last.getStamped(key)
          if (before.value !== undefined) timers.delete(key, before.timestamp + 10)
          last.put(key, value)
          timers.set(key, timestamp + 10)
        },
        onTimer(key) {
          forward({ key, value: last.get(key) })
          last.delete(key)
        },
      }),
    ),
    S.to(Out),
  )

test("timers fire in the order of their times, before the record that moves stream time past them", async () => {
  await using driver = await started(silence)
  send(driver, ["b", 1, 0], ["a", 2, 0], ["c", 3, 5], ["b", 4, 9], ["b", 5, 15], ["d", 6, 100])
  await driver.run()
  expect(rows(driver)).toEqual([
    // a's timer and not b's, which was moved; then c's at 15, before the record of that time.
    ["a", 2, 10],
    ["c", 3, 15],
    ["b", 5, 25],
  ])
  expect(driver.rows("silence-timers").map(({ key, timestamp }) => [key, timestamp])).toEqual([["d", 110]])
})

test("timers are taken back by an abort and found again after a crash", async () => {
  await using driver = await started(silence)
  send(driver, ["a", 1, 0])
  await driver.run()
  send(driver, ["b", 2, 20])
  driver.process()
  await driver.abort()
  driver.process()
  await driver.crash({ loseEngines: true })
  await driver.run()
  send(driver, ["c", 3, 30])
  await driver.run()
  expect(rows(driver)).toEqual([
    ["a", 1, 10],
    ["b", 2, 30],
  ])
})

test("a timer that is due when it is set fires after the call that set it; timers may set timers", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.processValues("chain", { timers: true, value: any }, ({ timers, forward }) => ({
        process({ key }) {
          timers.set(key, 3)
          timers.set(key, 3)
          forward("record")
        },
        onTimer(key, time) {
          forward(time)
          if (time < 9) timers.set(key, time + 2)
        },
      })),
      S.to(Out),
    ),
  )
  send(driver, ["a", 1, 7], ["b", 1, 9])
  await driver.run()
  expect(rows(driver)).toEqual([
    ["a", "record", 7],
    ["a", 3, 3],
    ["a", 5, 5],
    ["a", 7, 7],
    ["a", 9, 9],
    ["b", "record", 9],
    ["b", 3, 3],
    ["b", 5, 5],
    ["b", 7, 7],
    ["b", 9, 9],
  ])
})

test("P5: failures name the operator, and the record, timer or punctuation", async () => {
  const failing = (at: "process" | "timer" | "tick") => () =>
    S.stream(In).pipe(
      S.processValues("fails", { timers: true }, (context) => {
        context.schedule(50, "stream-time", () => {
          if (at === "tick") throw new Error("no")
        })
        return {
          process({ key }) {
            if (at === "process") throw new Error("no")
            context.timers.set(key, 5)
          },
          onTimer() {
            if (at === "timer") throw new Error("no")
          },
        }
      }),
      S.to(Out),
    )
  const failure = async (at: "process" | "timer" | "tick") => {
    await using driver = await started(failing(at))
    send(driver, ["a", 1, 5])
    await driver.run()
  }
  await expect(failure("process")).rejects.toThrow('pipeline "app", operator "fails", record in-0@0: no')
  await expect(failure("timer")).rejects.toThrow('operator "fails", a timer of partition 0: no')
  await expect(failure("tick")).rejects.toThrow('operator "fails", the stream-time punctuation of partition 0: no')
})

test("P4: commit asks for the transaction to end; a processor is closed with its task", async () => {
  let closed = 0
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.process("asks", {}, (context) => ({
        process: ({ value }) => (value === 2 ? context.commit() : undefined),
        close: () => void closed++,
      })),
      S.to(Out),
    ),
  )
  send(driver, ["a", 1, 1])
  driver.process()
  expect(driver.isHeavy).toBe(false)
  send(driver, ["a", 2, 2])
  driver.process()
  expect(driver.isHeavy).toBe(true)
  await driver.commit()
  expect(driver.isHeavy).toBe(false)
  expect(closed).toBe(0)
  await driver.move()
  expect(closed).toBe(1)
})

test("what is written wrongly is refused when the task is made", async () => {
  const made = (make: (context: any) => any, options: { timers?: boolean } = {}) =>
    started(() => S.stream(In).pipe(S.process("p", options, make), S.to(Out)))
  await expect(made(() => ({ process() {} }), { timers: true })).rejects.toThrow('"p": timers: true needs an onTimer')
  await expect(made((context) => (context.schedule(0, "wall-clock", () => {}), { process() {} }))).rejects.toThrow(
    "interval must be more than 0",
  )
})
