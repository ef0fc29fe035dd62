/**
 * Copies of state, tasks that move, and members that must not run together, against a broker, whichever it is:
 * assignment.test.ts runs it on ours, e2e/assignment.e2e.ts on Apache Kafka.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, expectExact, named } from "./bench.ts"

const WORDS = 10
const words = (count: number) => Array.from({ length: count }, (_, at) => [`k${at % 7}`, `w${at % WORDS}`, at] as const)

export function assignmentSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  const counting = (name: string, isOther = false) => {
    const from = S.topic(named(`${name}-in`), { key: string, value: string })
    const to = S.topic(named(`${name}-out`), { key: string, value: json<number>() })
    const pipeline = S.pipeline(named(`${name}-app`), () => {
      const counts = S.stream(from).pipe(
        S.keyBy((word) => word),
        S.count("words"),
        S.toStream(),
      )
      return isOther
        ? counts.pipe(
            S.filter(() => true),
            S.to(to),
          )
        : counts.pipe(S.to(to))
    })
    return { from, to, pipeline }
  }

  test("S7: a copy warms up before its task moves, and takes over without restoring when the other goes", async () => {
    const { from, to, pipeline } = counting("warm")
    await bench.createTopics({ "warm-in": 4, "warm-out": 1 })
    const rules = { standbyReplicas: 1, acceptableRecoveryLag: 20, repartitionPurgeIntervalMs: 0 }
    await using first = await S.run(pipeline, bench.options("warm-1", rules))
    await bench.produce(from, words(1_000))
    await bench.consume(to, 1_000)
    const second = await S.run(pipeline, bench.options("warm-2", rules))
    const isShared = () => first.metrics().tasks === 4 && second.metrics().tasks === 4
    await eventually("both have half of the tasks", isShared)
    const isCopied = () => first.metrics().standbyTasks === 2 && second.metrics().standbyTasks === 2
    await eventually("each has copies of the other's tasks", isCopied)
    // What the second had to read before it ran its tasks was little: they had warmed up.
    expect(second.metrics().restoredRecords).toBeLessThanOrEqual(2 * 20)
    await bench.produce(from, words(1_000))
    await bench.consume(to, 2_000)
    const before = first.metrics().restoredRecords
    await second.close()
    await eventually("the first has all tasks", () => first.metrics().tasks === 8)
    await bench.produce(from, words(1_000))
    expectExact(await bench.consume(to, 3_000), 3_000)
    expect(first.metrics().restoredRecords - before).toBeLessThanOrEqual(2 * 20)
    expect(first.state()).toBe("running")
  })

  test("a task that becomes a copy goes on from what it wrote", async () => {
    const { from, to, pipeline } = counting("demoted")
    await bench.createTopics({ "demoted-in": 2, "demoted-out": 1 })
    const rules = { standbyReplicas: 1, repartitionPurgeIntervalMs: 0 }
    const first = await S.run(pipeline, bench.options("demoted-1", rules))
    await bench.produce(from, words(500))
    await bench.consume(to, 500)
    // Little state: half of the tasks move at once, and leave copies behind.
    await using second = await S.run(pipeline, bench.options("demoted-2", rules))
    await eventually("each runs one and copies one", () =>
      [first, second].every((one) => one.metrics().tasks === 2 && one.metrics().standbyTasks === 1),
    )
    await bench.produce(from, words(500))
    await bench.consume(to, 1_000)
    const before = second.metrics().restoredRecords
    await first.close()
    await eventually("the second has all tasks", () => second.metrics().tasks === 4)
    expect(second.metrics().restoredRecords - before).toBeLessThanOrEqual(20)
    await bench.produce(from, words(500))
    expectExact(await bench.consume(to, 1_500), 1_500)
  })

  test("R7: a newcomer with another plan is refused, and the others go on", async () => {
    const { from, to, pipeline } = counting("plans")
    const other = counting("plans", true)
    await bench.createTopics({ "plans-in": 2, "plans-out": 1 })
    await using first = await S.run(pipeline, bench.options("plans-1"))
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    const newcomer = await S.run(other.pipeline, bench.options("plans-2"))
    await expect(newcomer.done).rejects.toThrow(/others run another version of the pipeline.*its own applicationId/)
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 200), 200)
    expect([first.state(), first.metrics().tasks]).toEqual(["running", 4])
  })

  /** All tasks to the processes that are tagged `big`, as long as there are any. */
  const toTheBig: S.TaskAssignor = {
    name: "to-the-big",
    assign({ tasks, processes }) {
      const big = [...processes.values()].filter(({ tags }) => tags["size"] === "big")
      const [chosen] = big.length > 0 ? big : [...processes.values()]
      const mine = (processId: string) => (processId === chosen!.processId ? [...tasks.keys()] : [])
      return new Map([...processes.keys()].map((processId) => [processId, { active: mine(processId) }]))
    },
  }

  test("R6: an assignor of one's own decides, and ours while a process lacks it", async () => {
    const { from, to, pipeline } = counting("pinned")
    await bench.createTopics({ "pinned-in": 2, "pinned-out": 1 })
    const lines: string[] = []
    const log = (line: string) => void lines.push(line)
    await using first = await S.run(pipeline, bench.options("pinned-1", { assignor: toTheBig, log }))
    await eventually("the first has all tasks", () => first.metrics().tasks === 4)
    await bench.produce(from, words(200))
    await bench.consume(to, 200)
    const big = { assignor: toTheBig, clientTags: { size: "big" } }
    await using second = await S.run(pipeline, bench.options("pinned-2", big))
    const isMoved = () => second.metrics().tasks === 4 && first.metrics().tasks === 0
    await eventually("the big one has all tasks, whoever leads", isMoved)
    await bench.produce(from, words(200))
    expectExact(await bench.consume(to, 400), 400)
    expect(lines.filter((line) => line.includes("built-in"))).toEqual([])
    const third = await S.run(pipeline, bench.options("pinned-3"))
    await eventually("tasks are spread", () => [first, second, third].every((one) => one.metrics().tasks > 0))
    await third.close()
    await eventually("the big one has all tasks again", isMoved)
    await bench.produce(from, words(200))
    expectExact(await bench.consume(to, 600), 600)
  })

  test("R6: a process that is back with an assignor is asked, though the group has waited for it", async () => {
    const { from, to, pipeline } = counting("back")
    await bench.createTopics({ "back-in": 1, "back-out": 1 })
    const first = await S.run(pipeline, bench.options("back-1"))
    await eventually("it has all tasks", () => first.metrics().tasks === 2)
    await first.close({ leaveGroup: false })
    let asked = 0
    const assignor: S.TaskAssignor = {
      name: "counts",
      assign(state) {
        asked++
        return state.builtIn()
      },
    }
    await using again = await S.run(pipeline, bench.options("back-1", { assignor }))
    await eventually("the assignor is asked", () => asked > 0)
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 100), 100)
    expect(again.metrics().tasks).toBe(2)
  })

  test("R6: an assignor that fails ends its leader's run by name, and another leads", async () => {
    const { from, to, pipeline } = counting("picky")
    await bench.createTopics({ "picky-in": 2, "picky-out": 1 })
    const picky = (message?: string): S.TaskAssignor => ({
      name: "picky",
      assign(state) {
        if (message !== undefined && state.processes.size > 1) throw new RangeError(message)
        return state.builtIn()
      },
    })
    const first = await S.run(pipeline, bench.options("picky-1", { assignor: picky("two are too many") }))
    await eventually("the first has all tasks", () => first.metrics().tasks === 4)
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    await using second = await S.run(pipeline, bench.options("picky-2", { assignor: picky() }))
    await expect(first.done).rejects.toThrow(/application "picky-app.*", assignor "picky": it failed: two are too many/)
    await eventually("the second has all tasks", () => second.metrics().tasks === 4)
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 200), 200)
  })

  test("R6: an assignor that fails for what all are told ends every leader in its turn, by name", async () => {
    const { from, to, pipeline } = counting("broken")
    await bench.createTopics({ "broken-in": 2, "broken-out": 1 })
    let isBroken = false
    const assignor: S.TaskAssignor = {
      name: "fragile",
      assign(state) {
        if (isBroken) throw new RangeError("no such zone")
        return state.builtIn()
      },
    }
    const first = await S.run(pipeline, bench.options("broken-1", { assignor }))
    await eventually("the first has all tasks", () => first.metrics().tasks === 4)
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    isBroken = true
    const second = await S.run(pipeline, bench.options("broken-2", { assignor }))
    const message = /application "broken-app.*", assignor "fragile": it failed: no such zone/
    await Promise.all([first, second].map(({ done }) => expect(done).rejects.toThrow(message)))
    // What was committed is where it was.
    isBroken = false
    await using third = await S.run(pipeline, bench.options("broken-3", { assignor }))
    await eventually("the third has all tasks", () => third.metrics().tasks === 4)
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 200), 200)
  })

  test("R6: a leader that answers replace asks its assignor again", async () => {
    const { from, to, pipeline } = counting("again")
    await bench.createTopics({ "again-in": 2, "again-out": 1 })
    let failures = 2
    const assignor: S.TaskAssignor = {
      name: "slow-to-learn",
      assign(state) {
        if (failures-- > 0) throw new RangeError("not yet")
        return state.builtIn()
      },
    }
    const counts: number[] = []
    const onUncaught = (_: unknown, count: number) => {
      counts.push(count)
      return "replace" as const
    }
    await using running = await S.run(pipeline, bench.options("again-1", { assignor, onUncaught }))
    await eventually("it has all tasks", () => running.metrics().tasks === 4)
    expect(counts).toEqual([1, 2])
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 100), 100)
  })

  test("R1: an input topic that grows ends every run with its name and what to do", async () => {
    const { from, to, pipeline } = counting("grown")
    await bench.createTopics({ "grown-in": 2, "grown-out": 1 })
    const first = await S.run(pipeline, bench.options("grown-1", { metadataMaxAgeMs: 200 }))
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    await bench.client.admin().createPartitions([{ name: from.name, count: 3 }])
    const message = /topic "grown-in.*" has grown from 2 to 3 partitions.*begin under a new applicationId/
    // A newcomer does not even start: what the others laid out does not fit any more.
    await expect(S.run(pipeline, bench.options("grown-2"))).rejects.toThrow(/partitions and needs 3/)
    await expect(first.done).rejects.toThrow(message)
  })
}
