/**
 * What is the streams group protocol's own (KIP-1071), against a broker, whichever it is: streams-protocol.test.ts runs it
 * on ours, e2e/streams-protocol.e2e.ts on Apache Kafka.
 */
import { copyFileSync, mkdirSync } from "node:fs"
import { setTimeout } from "node:timers/promises"
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, expectExact, named } from "./bench.ts"

const words = (count: number) => Array.from({ length: count }, (_, at) => [`k${at % 7}`, `w${at % 10}`, at] as const)
const QUERIES = { queries: { listen: "127.0.0.1:0" } }

/** Asks again while the store is being restored. */
async function asked(url: string): Promise<unknown> {
  for (;;) {
    const answer = (await (await fetch(url)).json()) as { readonly error?: string }
    if (answer.error !== "NOT_ACTIVE") return answer
    await setTimeout(20)
  }
}

export function streamsGroupSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  const counting = (name: string) => {
    const from = S.topic(named(`${name}-in`), { key: string, value: string })
    const to = S.topic(named(`${name}-out`), { key: string, value: json<number>() })
    const pipeline = S.pipeline(named(`${name}-app`), () =>
      S.stream(from).pipe(
        S.keyBy((word) => word),
        S.count("words"),
        S.toStream(),
        S.to(to),
      ),
    )
    return { from, to, pipeline }
  }
  const described = (name: string) => bench.client.admin().describeStreamsGroup(named(`${name}-app`))
  test("R8 R4: the broker moves tasks in two steps, and those that stay are not touched", async () => {
    const { from, to, pipeline } = counting("moved")
    await bench.createTopics({ "moved-in": 4, "moved-out": 1 })
    await using first = await S.run(pipeline, bench.options("moved-1"))
    await bench.produce(from, words(300))
    await bench.consume(to, 300)
    const before = new Map(first.metrics().perTask.map((one) => [one.task, one.processed]))
    await using second = await S.run(pipeline, bench.options("moved-2"))
    const isShared = () => first.metrics().tasks === 4 && second.metrics().tasks === 4
    await eventually("both have half of the tasks", isShared)
    // A task that had been closed and opened again would count from nothing.
    for (const { task, processed } of first.metrics().perTask)
      expect(processed, task).toBeGreaterThanOrEqual(before.get(task)!)
    await bench.produce(from, words(300))
    expectExact(await bench.consume(to, 600), 600)
    const isStable = async () => (await described("moved"))?.state === "Stable"
    await eventually("the group is stable", isStable)
    const members = (await described("moved"))!.members
    expect(members.map(({ tasks }) => tasks.active.length)).toEqual([4, 4])
    expect(new Set(members.map(({ processId }) => processId)).size).toBe(2)
  })

  test("R8 R5: a process that is started again is the member that it was", async () => {
    const { from, to, pipeline } = counting("again")
    await bench.createTopics({ "again-in": 2, "again-out": 1 })
    const ids: string[] = []
    for (const round of [1, 2]) {
      await using running = await S.run(pipeline, bench.options("again"))
      await bench.produce(from, words(50))
      expectExact(await bench.consume(to, 50 * round), 50 * round)
      ids.push((await described("again"))!.members[0]!.memberId)
      expect(running.metrics().tasks).toBe(4)
    }
    expect(ids).toEqual([ids[0], ids[0]])
  })

  test("R8 Q2: where others answer queries, and who has copies, is told by the broker", async () => {
    const { from, to, pipeline } = counting("asked")
    await bench.createTopics({ "asked-in": 4, "asked-out": 1 })
    const changes = [{ name: "streams.num.standby.replicas", operation: "set" as const, value: "1" }]
    await bench.client.admin().incrementalAlterConfigs([{ type: "group", name: named("asked-app"), changes }])
    await using first = await S.run(pipeline, bench.options("asked-1", QUERIES))
    await using second = await S.run(pipeline, bench.options("asked-2", QUERIES))
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    const all = [first, second]
    const partitions = (one: S.RunHandle) => one.allMetadata().flatMap(({ stores }) => stores["words"] ?? [])
    const isPlaced = (one: S.RunHandle, word: string) => {
      const { endpoint, standbyEndpoints } = one.metadataForKey("words", word)
      return endpoint !== undefined && standbyEndpoints.length === 1 && standbyEndpoints[0] !== endpoint
    }
    const isTold = (one: S.RunHandle) =>
      one.allMetadata().length === 2 &&
      partitions(one).length === 4 &&
      Array.from({ length: 10 }, (_, at) => `w${at}`).every((word) => isPlaced(one, word))
    await eventually("both know all", () => all.every(isTold))
    for (const one of all) {
      expect(one.allMetadata().map(({ endpoint }) => endpoint)).toEqual(
        expect.arrayContaining(all.map(({ endpoint }) => endpoint)),
      )
      for (let at = 0; at < 10; at++) {
        // The broker tells who has a task as soon as it is assigned: it may be restored yet.
        expect(await asked(`http://${one.endpoint}/stores/words/w${at}`)).toMatchObject({ key: `w${at}`, value: 10 })
      }
    }
  })

  test("R7 R8: a newcomer with another topology is refused by name, and the others go on", async () => {
    const { from, to, pipeline } = counting("other")
    await bench.createTopics({ "other-in": 2, "other-out": 1 })
    await using first = await S.run(pipeline, bench.options("other-1"))
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    const more = S.pipeline(named("other-app"), () =>
      S.stream(from).pipe(
        S.keyBy((word) => word),
        S.count("words"),
        S.toStream(),
        S.toTable("last"),
        S.toStream(),
        S.to(to),
      ),
    )
    const newcomer = await S.run(more, bench.options("other-2"))
    await expect(newcomer.done).rejects.toThrow(
      /application "other-app.*topology that it began with.*its own applicationId/,
    )
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 200), 200)
    expect(first.state()).toBe("running")
  })

  test("R1 R8: an input topic that grows ends every run with its name and what to do", async () => {
    const { from, to, pipeline } = counting("grown")
    await bench.createTopics({ "grown-in": 2, "grown-out": 1 })
    const first = await S.run(pipeline, bench.options("grown-1", { metadataMaxAgeMs: 200 }))
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    await bench.client.admin().createPartitions([{ name: from.name, count: 3 }])
    const message = /topic "grown-in.*" has grown from 2 to 3 partitions.*begin under a new applicationId/
    await expect(first.done).rejects.toThrow(message)
  })

  test("R8 E6: a copy of a state directory is one identity twice, and still every word is counted once", async () => {
    const { from, to, pipeline } = counting("copied")
    await bench.createTopics({ "copied-in": 2, "copied-out": 1 })
    const first = await S.run(pipeline, bench.options("copied-1"))
    await bench.produce(from, words(100))
    await bench.consume(to, 100)
    const [original, copy] = ["copied-1", "copied-2"].map((name) => `${bench.directory}/${name}/${named("copied-app")}`)
    mkdirSync(copy!, { recursive: true })
    copyFileSync(`${original}/process-id`, `${copy}/process-id`)
    const second = await S.run(pipeline, bench.options("copied-2"))
    await bench.produce(from, words(300))
    const aborted = () => first.metrics().transactions.aborted + second.metrics().transactions.aborted
    await eventually("each has fenced the other", () => aborted() > 3)
    await first.close()
    await bench.produce(from, words(100))
    expectExact(await bench.consume(to, 500), 500)
    await second.close()
  })

  test("F6 R8: a failure that ends one process ends the whole application, when asked to", async () => {
    const { from, to, pipeline } = counting("ended")
    await bench.createTopics({ "ended-in": 2, "ended-out": 1 })
    const failing = S.pipeline(named("ended-app"), () =>
      S.stream(from).pipe(
        S.keyBy((word) => {
          if (word === "poison") throw new Error("cannot digest")
          return word
        }),
        S.count("words"),
        S.toStream(),
        S.to(to),
      ),
    )
    const first = await S.run(failing, bench.options("ended-1", { onUncaught: () => "stop-application" }))
    await eventually("the first has all tasks", () => first.metrics().tasks === 4)
    const second = await S.run(pipeline, bench.options("ended-2"))
    await eventually("both have tasks", () => first.metrics().tasks === 2 && second.metrics().tasks === 2)
    await bench.produce(
      from,
      Array.from({ length: 20 }, (_, at) => [`k${at}`, "poison", at] as const),
    )
    await expect(first.done).rejects.toThrow(/cannot digest/)
    await expect(second.done).rejects.toThrow(/application "ended-app.*requested a shutdown for the entire application/)
  })

  test("R8: what the broker says in a streams group is not taken from whoever runs", async () => {
    const { pipeline } = counting("asks")
    const message = /standbyReplicas is the broker's.*streams\.num\.standby\.replicas of group "asks-app/
    await expect(S.run(pipeline, bench.options("asks", { standbyReplicas: 1 }))).rejects.toThrow(message)
  })

  test("R8: members of both protocols do not mix; a group without members takes either, and keeps its offsets", async () => {
    const { from, to, pipeline } = counting("mixed")
    await bench.createTopics({ "mixed-in": 2, "mixed-out": 1 })
    const run = (name: string, groupProtocol: "classic" | "streams") =>
      S.run(pipeline, bench.options(name, { groupProtocol }))
    let sent = 0
    for (const [own, other] of [
      ["classic", "streams"],
      ["streams", "classic"],
      ["classic", "streams"],
    ] as const) {
      await using running = await run("mixed-1", own)
      await bench.produce(from, words(50))
      expectExact(await bench.consume(to, (sent += 50)), sent)
      const newcomer = await run("mixed-2", other)
      await expect(newcomer.done).rejects.toThrow(
        /application "mixed-app.*all processes must have the same groupProtocol/,
      )
      expect(running.state()).toBe("running")
    }
  })
}
