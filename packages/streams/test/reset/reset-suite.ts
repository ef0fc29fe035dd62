/**
 * Starting an application over, against a broker, whichever it is.
 */
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import { existsSync } from "node:fs"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { applyReset, planReset, type ResetTarget, whyNotNow } from "../../src/reset/reset.ts"
import { Bench, eventually, named } from "../run/bench.ts"

export function resetSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  const counting = (name: string) => {
    const In = S.topic(named(`${name}-in`), { key: string, value: string })
    const Out = S.topic(named(`${name}-out`), { key: string, value: json<number>() })
    const pipeline = S.pipeline(named(name), () =>
      S.stream(In).pipe(
        S.keyBy((word) => word),
        S.count("words"),
        S.toStream(),
        S.to(Out),
      ),
    )
    return { In, Out, pipeline, applicationId: named(name) }
  }

  async function runTo(app: ReturnType<typeof counting>, outputs: number): Promise<ReadonlyArray<[string, number]>> {
    await using running = await S.run(app.pipeline, bench.options(app.applicationId))
    const found = await bench.consume(app.Out, outputs)
    await eventually("it is committed", () => running.metrics().transactions.committed > 0)
    return found.map(({ key, value }) => [key, value!])
  }

  const stateOf = (applicationId: string) => `${bench.directory}/${applicationId}/${applicationId}`

  const reset = async (applicationId: string, target: ResetTarget, inputTopics?: readonly string[]) => {
    const admin = bench.client.admin()
    const stateDirectory = stateOf(applicationId)
    const options = { applicationId, target, stateDirectory, ...(inputTopics !== undefined && { inputTopics }) }
    const plan = await planReset(admin, nodeHost.disk, options)
    await applyReset(admin, nodeHost.disk, plan)
    return plan
  }

  test("O5: from the beginning: everything is counted again, from nothing", async () => {
    const app = counting("reset-all")
    await bench.createTopics({ "reset-all-in": 2, "reset-all-out": 1 })
    await bench.produce(app.In, [
      ["1", "a", 1],
      ["2", "a", 2],
      ["3", "b", 3],
    ])
    expect(new Map(await runTo(app, 3))).toEqual(
      new Map([
        ["a", 2],
        ["b", 1],
      ]),
    )
    expect(existsSync(`${stateOf(app.applicationId)}/state.lmdb`)).toBe(true)
    const plan = await reset(app.applicationId, "earliest")
    expect(plan.internalTopics).toEqual([
      `${app.applicationId}-words-changelog`,
      `${app.applicationId}-words-repartition`,
    ])
    expect(plan.offsets.map(({ topic, offset }) => [topic, offset])).toEqual([
      [app.In.name, 0],
      [app.In.name, 0],
    ])
    expect(plan.offsets.reduce((sum, { before }) => sum + before!, 0)).toBeGreaterThanOrEqual(3)
    expect(existsSync(`${stateOf(app.applicationId)}/state.lmdb`)).toBe(false)
    expect(await bench.client.admin().listTopics()).not.toContain(`${app.applicationId}-words-changelog`)
    // What was written before stays, and the counts begin at one again.
    const found = await runTo(app, 6)
    expect(found).toHaveLength(6)
    expect(found.slice(3).sort()).toEqual([
      ["a", 1],
      ["a", 2],
      ["b", 1],
    ])
  })

  test("O5: from the end, and from a time: what is before is not read", async () => {
    const app = counting("reset-late")
    await bench.createTopics({ "reset-late-in": 1, "reset-late-out": 1 })
    await bench.produce(app.In, [
      ["1", "a", 1_000],
      ["2", "b", 2_000],
      ["3", "c", 3_000],
    ])
    await runTo(app, 3)
    expect((await reset(app.applicationId, 1_500)).offsets.map(({ offset }) => offset)).toEqual([1])
    expect((await runTo(app, 5)).slice(3)).toEqual([
      ["b", 1],
      ["c", 1],
    ])
    expect((await reset(app.applicationId, 9_999)).offsets.map(({ offset }) => offset)).toEqual([3])
    expect((await reset(app.applicationId, "latest")).offsets.map(({ offset }) => offset)).toEqual([3])
    await bench.produce(app.In, [["4", "a", 4_000]])
    expect((await runTo(app, 6)).slice(5)).toEqual([["a", 1]])
  })

  test("O5: an application that runs is refused, and one whose name begins alike is left alone", async () => {
    const [app, alike] = [counting("reset-x"), counting("reset-x-y")]
    await bench.createTopics({ "reset-x-in": 1, "reset-x-out": 1, "reset-x-y-in": 1, "reset-x-y-out": 1 })
    // Against brokers that outlive the run, names end in a suffix, so that neither begins like the other.
    const isAlike = alike.applicationId.startsWith(`${app.applicationId}-`)
    await bench.produce(app.In, [["1", "a", 1]])
    await bench.produce(alike.In, [["1", "a", 1]])
    await runTo(alike, 1)
    const running = await S.run(app.pipeline, bench.options(app.applicationId))
    await bench.consume(app.Out, 1)
    await expect(reset(app.applicationId, "earliest")).rejects.toThrow(/is running \(.*\): stop it first/)
    const plan = {
      applicationId: app.applicationId,
      target: "earliest",
      stateDirectory: stateOf(app.applicationId),
    } as const
    const shown = await planReset(bench.client.admin(), nodeHost.disk, plan)
    expect([shown.members.length, shown.stateHolder, shown.internalTopics.length]).toEqual([1, expect.any(String), 2])
    expect(whyNotNow({ ...shown, members: [] })).toMatch(/^state directory .* is in use by .*: stop it first$/)
    await running.close()
    const done = await reset(app.applicationId, "earliest")
    expect(done.internalTopics).toHaveLength(2)
    expect(whyNotNow(done)).toBeUndefined()
    if (isAlike) expect(await bench.client.admin().listTopics()).toContain(`${alike.applicationId}-words-changelog`)
  })

  test.each([
    ["a topic that is not there", ["none"], /topic "none" does not exist/],
    ["an internal topic", [named("reset-in") + "-words-changelog"], /does not exist|is internal/],
  ])("refuses %s as input", async (_, topics, message) => {
    await expect(reset(named("reset-none"), "earliest", topics)).rejects.toThrow(message)
  })
}
