/**
 * Two customers in four partitions, as a new user has it: windows that are emitted when they close must come out. idle.test.ts
 * runs it on our broker, e2e/idle.e2e.ts on Apache Kafka.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "./bench.ts"

const MINUTE = 60_000
const CUSTOMERS = ["ann", "bob"]

export function idleSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  const topics = async (name: string) => {
    await bench.createTopics({ [`${name}-orders`]: 4, [`${name}-out`]: 1, [`${name}-late`]: 1 })
    return {
      Orders: S.topic(named(`${name}-orders`), { key: string, value: json<{ customer: string; order: number }>() }),
      Out: S.topic(named(`${name}-out`), { key: string, value: json<number>() }),
      Late: S.topic(named(`${name}-late`), { key: string, value: json<{ customer: string; order: number }>() }),
    }
  }
  type Topics = Awaited<ReturnType<typeof topics>>

  const counted = (name: string, { Orders, Out, Late }: Topics, size: S.Duration, options: S.SourceOptions) =>
    S.pipeline(named(`${name}-app`), () =>
      S.stream(Orders, options).pipe(
        S.keyBy((order) => order.customer),
        S.window(S.tumbling(size, { emit: "on-window-close", lateTo: Late })),
        S.count("windows"),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value })),
        S.to(Out),
      ),
    )

  const order = ({ Orders }: Topics, time: number, count: number, customers = CUSTOMERS) =>
    bench.produce(
      Orders,
      customers.flatMap((customer) =>
        Array.from({ length: count }, (_, at) => [customer, { customer, order: at }, time] as const),
      ),
    )

  test("W8: windows close once partitions without records are idle", async () => {
    const all = await topics("idle")
    const pipeline = counted("idle", all, "1 minute", { idleAfter: 500 })
    await using _running = await S.run(pipeline, bench.options("idle"))
    await order(all, 0, 5)
    let time = MINUTE
    let windows: Awaited<ReturnType<typeof bench.consume<string, number>>> = []
    await eventually("the first minute closes as records go on", async () => {
      await order(all, (time += 1_000), 1)
      windows = await bench.consume(all.Out, 2, 100)
      return windows.length === 2
    })
    expect(windows.map(({ key, value }) => [key, value]).toSorted()).toEqual(
      CUSTOMERS.map((customer) => [`${customer}@0`, 5]),
    )
  })

  test("W11: windows close by the wall clock, without any further record, and stay closed behind a restart", async () => {
    const all = await topics("clock")
    const pipeline = counted("clock", all, "1 second", { idleAfter: "1 second", whenIdle: "wall-clock" })
    const second = Math.floor(Date.now() / 1_000) * 1_000
    {
      await using _running = await S.run(pipeline, bench.options("clock"))
      await order(all, second, 5)
      const closed = await bench.consume(all.Out, 2)
      expect(closed.map(({ key, value }) => [key, value]).toSorted()).toEqual(
        CUSTOMERS.map((customer) => [`${customer}@${second}`, 5]),
      )
    }
    await using _running = await S.run(pipeline, bench.options("clock"))
    await order(all, second, 1, ["ann"])
    const late = await bench.consume(all.Late, 1)
    expect(late.map(({ value }) => value?.customer)).toEqual(["ann"])
    expect(await bench.consume(all.Out, 3, 1_000)).toHaveLength(2)
  })
}
