/**
 * Racks through a real group: a process tells its own with its subscription (`clientRack`), the broker its own with the
 * metadata (`broker.rack`), and the leader weighs traffic between them.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, expectExact, named } from "./bench.ts"

const BROKER_RACK = "r1"

let bench: Bench
beforeAll(async () => {
  bench = await Bench.start("classic", { "broker.rack": BROKER_RACK })
})
afterAll(() => bench.close())

/** Two tasks: one reads two partitions, the other one. */
function heavyAndLight(name: string) {
  const topic = (of: string) => S.topic(named(`${name}-${of}`), { key: string, value: string })
  const [heavy, too, light] = [topic("heavy"), topic("too"), topic("light")]
  const to = S.topic(named(`${name}-out`), { key: string, value: json<number>() })
  const pipeline = S.pipeline(named(`${name}-app`), () => [
    S.stream(heavy).pipe(S.merge(S.stream(too)), S.count("many"), S.toStream(), S.to(to)),
    S.stream(light).pipe(S.count("few"), S.toStream(), S.to(to)),
  ])
  const topics = ["heavy", "too", "light", "out"].map((of) => [`${name}-${of}`, 1])
  return { heavy, light, to, pipeline, createTopics: () => bench.createTopics(Object.fromEntries(topics)) }
}

const storesOf = (running: S.RunHandle) =>
  running.metrics().perTask.map(({ stores }) => stores.map(({ store }) => store))

// Who was there first keeps one of the two tasks, the same whatever its rack is, unless racks are weighed.
test.each([
  ["the newcomer", "near", ["r2", BROKER_RACK]],
  ["who was there first", "stay", [BROKER_RACK, "r2"]],
] as const)("R6: with min-traffic %s has what reads most, on the brokers' rack", async (_, name, racks) => {
  const { heavy, light, to, pipeline, createTopics } = heavyAndLight(name)
  await createTopics()
  const lines: string[] = []
  const on = (clientRack: string): Partial<S.RunOptions> => ({
    clientRack,
    rackAwareAssignmentStrategy: "min-traffic",
    log: (line) => void lines.push(line),
  })
  await using first = await S.run(pipeline, bench.options(`${name}-1`, on(racks[0])))
  await eventually("the first has all tasks", () => first.metrics().tasks === 2)
  await using second = await S.run(pipeline, bench.options(`${name}-2`, on(racks[1])))
  const both = [first, second]
  await eventually("each has a task", () => both.every((one) => one.metrics().tasks === 1))
  const [near, far] = racks[0] === BROKER_RACK ? both : both.toReversed()
  expect(storesOf(near!)).toEqual([["many"]])
  expect(storesOf(far!)).toEqual([["few"]])
  expect(lines.filter((line) => line.includes("not weighed"))).toEqual([])
  await bench.produce(heavy, [["h", "x", 1]])
  await bench.produce(light, [["l", "x", 1]])
  expectExact(await bench.consume(to, 2), 2)
})

test("R6: an assignor of one's own is told the racks of processes and of brokers", async () => {
  const { pipeline, createTopics } = heavyAndLight("told")
  await createTopics()
  const seen: S.ApplicationState[] = []
  const assignor: S.TaskAssignor = {
    name: "looks",
    assign(state) {
      seen.push(state)
      return state.builtIn()
    },
  }
  const options = (name: string, clientRack?: string) =>
    bench.options(`told-${name}`, { assignor, clientTags: { name }, ...(clientRack !== undefined && { clientRack }) })
  await using first = await S.run(pipeline, options("placed", "r7"))
  await eventually("the first has all tasks", () => first.metrics().tasks === 2)
  await using second = await S.run(pipeline, options("anywhere"))
  await eventually("each has a task", () => [first, second].every((one) => one.metrics().tasks === 1))
  const { processes, tasks } = seen.at(-1)!
  const racks = [...processes.values()].map(({ tags, rack }) => [tags["name"], rack])
  expect(Object.fromEntries(racks)).toEqual({ placed: "r7", anywhere: undefined })
  const read = [...tasks.values()].flatMap(({ inputs, changelogs }) => [...inputs, ...changelogs])
  expect(read).toHaveLength(5)
  for (const partition of read) expect(partition).toMatchObject({ leaderRack: BROKER_RACK, racks: [BROKER_RACK] })
})
