/**
 * Tables as Observables.
 */
import { json, string } from "@millrace/schema"
import { firstValueFrom, lastValueFrom, take, toArray } from "rxjs"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually } from "../run/bench.ts"
import { schemed } from "./schemed.ts"

let bench: Bench
beforeAll(async () => {
  bench = await Bench.start()
})
afterAll(() => bench.close())

test("rows first, then changes and deletions as they are committed, and it completes with the run", async () => {
  const Users = S.topic("changes-users", { key: string, value: json<number>() })
  const users = S.table(Users, { store: "users" })
  await bench.createTopics({ "changes-users": 2 })
  const running = await S.run(
    S.pipeline("changes", () => users),
    bench.options("changes"),
  )
  await bench.produce(Users, [["ann", 1, 10]])
  await eventually("the row is there", () => [...running.store(users).all()].length === 1)
  const seen: unknown[] = []
  let isComplete = false
  running.changes(users).subscribe({
    next: ({ key, value }) => seen.push([key, value]),
    complete: () => (isComplete = true),
  })
  expect(seen).toEqual([["ann", 1]])
  await bench.produce(Users, [["bob", 2, 11]])
  await eventually("the change is told", () => seen.length === 2)
  await using producer = bench.client.producer()
  producer.append(Users.name, -1, 12, string.encode("ann"), null)
  await producer.flush()
  await eventually("the deletion is told", () => seen.length === 3)
  expect(seen.slice(1)).toEqual([
    ["bob", 2],
    ["ann", undefined],
  ])
  await running.close()
  expect(isComplete).toBe(true)
})

test("a transaction that is aborted is never seen, and keys of windows have their windows", async () => {
  const In = S.topic("changes-in", { key: string, value: string })
  await bench.createTopics({ "changes-in": 1 })
  let failures = 0
  const counts = S.stream(In).pipe(S.window(S.tumbling(10, { grace: 0 })), S.count("counts"))
  const pipeline = S.pipeline("changes-abort", () => [
    counts,
    counts.pipe(
      S.toStream(),
      S.forEach((value) => {
        if (value === 2 && failures++ === 0) throw new Error("once")
      }),
    ),
  ])
  const told: Array<readonly [unknown, unknown]> = []
  const listen = (running: S.RunHandle) =>
    running.changes(counts).subscribe(({ key, value }) => told.push([key, value]))
  const failing = await S.run(pipeline, bench.options("changes-abort"))
  listen(failing)
  await bench.produce(In, [
    ["a", "x", 1],
    ["a", "x", 2],
  ])
  await expect(failing.done).rejects.toThrow("once")
  // A commit between the two records may have made the first one last; the second's never.
  for (const [, value] of told) expect(value).toBe(1)
  await using running = await S.run(pipeline, bench.options("changes-abort"))
  const found = firstValueFrom(running.changes(counts).pipe(take(2), toArray()))
  listen(running)
  await eventually("it is counted", () => told.some(([, value]) => value === 2))
  await bench.produce(In, [["a", "x", 25]])
  const last = (await found).at(-1)!
  expect(last).toMatchObject({ key: { key: "a" }, timestamp: expect.any(Number) })
  await eventually("the next window", () => told.some(([key]) => (key as S.Windowed<string>).start === 20))
  // The first window is past its retention by then, which takes its row away.
  expect(told.slice(-2)).toEqual([
    [{ key: "a", start: 20, end: 30 }, 1],
    [{ key: "a", start: 0, end: 10 }, undefined],
  ])
})

test("a row whose schema is not known yet waits for it, and what comes after it too", async () => {
  const known = new Set(["old", "older", "new", "lost"])
  const gate = Promise.withResolvers<void>()
  const Names = S.topic("changes-schemas", { key: string, value: schemed(known, () => gate.promise) })
  const names = S.table(Names, { store: "names" })
  await bench.createTopics({ "changes-schemas": 1 })
  const pipeline = S.pipeline("changes-schemed", () => names)
  await using running = await S.run(pipeline, bench.options("changes-schemed"))
  const have = (rows: Readonly<Record<string, string>>) =>
    eventually("the rows are there", () => {
      const store = running.store(names)
      return store.partitions.length === 1 && Object.entries(rows).every(([key, value]) => store.get(key) === value)
    })
  await bench.produce(Names, [
    ["a", "old", 1],
    ["b", "older", 1],
    ["c", "old", 1],
  ])
  await have({ a: "old", b: "older", c: "old" })
  // As after a restart: the row was written by a version that had another schema.
  known.delete("older")
  const seen: unknown[] = []
  running.changes(names).subscribe(({ key, value }) => seen.push([key, value]))
  await bench.produce(Names, [
    ["a", "new", 2],
    ["c", "new", 2],
  ])
  await have({ a: "new", c: "new" })
  expect(seen).toEqual([["a", "old"]])
  gate.resolve()
  await eventually("all is told", () => seen.length === 4)
  // What was changed before it was told is told as it is.
  expect(seen.slice(1)).toEqual([
    ["a", "new"],
    ["b", "older"],
    ["c", "new"],
  ])

  await bench.produce(Names, [["d", "lost", 3]])
  await have({ d: "lost" })
  known.delete("lost")
  await expect(lastValueFrom(running.changes(names))).rejects.toThrow("the registry has no such schema")
})
