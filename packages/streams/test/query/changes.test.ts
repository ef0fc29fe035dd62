/**
 * Tables as Observables.
 */
import { json, string } from "@millrace/schema"
import { firstValueFrom, take, toArray } from "rxjs"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually } from "../run/bench.ts"

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
