/**
 * SIGKILL, again and again, while records keep coming: every word is counted exactly once, every joined row is in one sum. kill.test.ts runs it on our
 * broker, e2e/kill.e2e.ts on Apache Kafka.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "./bench.ts"

const Rows = S.topic(named("kill-rows"), { key: string, value: string })
const Names = S.topic(named("kill-names"), { key: string, value: string })
const Sums = S.topic(named("kill-sums"), { key: string, value: json<number>() })
const KILLS = 4
const RECORDS = 400

const ALONE = ["", "{}"] as const
export const THREADS = ["-threads", JSON.stringify({ workers: 3 })] as const

/** One process, and one with several members. */
export function killSuite(startBench: () => Promise<Bench>, variants = [ALONE, THREADS]): void {
  test.each(variants)("a killed process loses nothing and counts nothing twice%s", async (suffix, options) => {
    const In = S.topic(named(`kill-in${suffix}`), { key: string, value: string })
    const Out = S.topic(named(`kill-out${suffix}`), { key: string, value: json<number>() })
    await using workers = await Workers.start(startBench, `kill-app${suffix}`, In, Out, options)
    const { bench } = workers
    await bench.createTopics({ [`kill-in${suffix}`]: 3, [`kill-out${suffix}`]: 1 })
    let sent = 0
    const send = async () => {
      const records = Array.from({ length: RECORDS }, () => [`k${sent % 5}`, `w${sent % 20}`, sent++] as const)
      await bench.produce(In, records)
    }
    for (let kill = 0; kill < KILLS; kill++) {
      await workers.next()
      await send()
      // Somewhere in the middle: some output of this round is there, not all of it.
      const soFar = kill * RECORDS
      await eventually("output comes", async () => (await bench.consume(Out, soFar + 1, 5_000)).length > soFar)
      await workers.kill()
    }
    await workers.next()
    await send()
    const found = await bench.consume(Out, sent)
    expect(found.length, workers.errors.join("")).toBe(sent)
    const counts = new Map<string, number[]>()
    for (const { key, value } of found) counts.set(key, [...(counts.get(key) ?? []), value!])
    // Each word's counts are 1, 2, 3 … without a gap or a repetition.
    for (const [word, values] of counts) expect(values, word).toEqual(values.map((_, at) => at + 1))
    expect(await workers.end()).toBe(0)
  })
}

export function killJoinSuite(startBench: () => Promise<Bench>): void {
  test("J8 A3: sums over a foreign-key join are exact, however often its worker is killed", async () => {
    await using workers = await Workers.start(startBench, "kill-join-app", Rows, Sums, "{}", Names)
    const { bench } = workers
    await bench.createTopics({ "kill-rows": 3, "kill-names": 2, "kill-sums": 1 })
    const [rows, names] = [new Map<string, string>(), new Map<string, string>()]
    let sent = 0
    const send = async () => {
      const changed = Array.from(
        { length: RECORDS },
        () => [`k${sent % 90}`, `n${(sent * 7) % 11} ${sent}`, sent++] as const,
      )
      // Names change too, while rows that name them are on their way.
      const renamed = Array.from({ length: 6 }, () => [`n${sent % 10}`, `label${(sent * 3) % 4}`, sent++] as const)
      for (const [key, value] of changed) rows.set(key, value)
      for (const [key, value] of renamed) names.set(key, value)
      await Promise.all([bench.produce(Rows, changed), bench.produce(Names, renamed)])
    }
    const outputs = async (more: number) => (await bench.consume(Sums, more, 1_000)).length
    for (let kill = 0; kill < KILLS; kill++) {
      const soFar = await outputs(Number.POSITIVE_INFINITY)
      await workers.next()
      await send()
      await eventually("output comes", async () => (await outputs(soFar + 1)) > soFar)
      await workers.kill()
    }
    await workers.next()
    await send()
    const expected = new Map([...names.values()].map((label) => [label, 0]))
    for (const row of rows.values()) {
      const [name, number] = row.split(" ") as [string, string]
      const label = names.get(name)
      if (label !== undefined) expected.set(label, expected.get(label)! + Number(number))
    }
    let last = new Map<string, number>()
    await eventually("the sums are those of the rows", async () => {
      last = new Map((await bench.consume(Sums, Number.POSITIVE_INFINITY, 500)).map(({ key, value }) => [key, value!]))
      return [...expected].every(([label, sum]) => last.get(label) === sum)
    }).catch((cause: Error) => {
      throw new Error(`${cause.message}: ${JSON.stringify([...last])}\n${workers.errors.join("")}`, { cause })
    })
    for (const [label, sum] of last) if (!expected.has(label)) expect([label, sum]).toEqual([label, 0])
    expect(await workers.end()).toBe(0)
  })
}

/** One worker process after another, over one state directory. */
class Workers {
  readonly bench: Bench
  readonly errors: string[] = []
  readonly #script: readonly string[]
  #process: ChildProcess | undefined

  constructor(bench: Bench, script: readonly string[]) {
    this.bench = bench
    this.#script = script
  }

  static async start(
    startBench: () => Promise<Bench>,
    application: string,
    from: S.Topic<any, any>,
    to: S.Topic<any, any>,
    options: string,
    more?: S.Topic<any, any>,
  ): Promise<Workers> {
    const bench = await startBench()
    const script = path.join(import.meta.dirname, "kill-worker.ts")
    const stateDir = path.join(bench.directory, application)
    const names = more === undefined ? [] : [more.name]
    const topics = [from.name, to.name]
    const all = JSON.stringify({ ...JSON.parse(options), groupProtocol: bench.groupProtocol })
    return new Workers(bench, [script, bench.brokers, stateDir, ...topics, named(application), all, ...names])
  }

  /** Resolves once it runs. */
  async next(): Promise<void> {
    this.#process = spawn(process.execPath, this.#script, { stdio: ["ignore", "pipe", "pipe"] })
    this.#process.stderr!.on("data", (chunk: Buffer) => this.errors.push(String(chunk)))
    await once(this.#process.stdout!, "data")
  }

  async kill(): Promise<void> {
    this.#process!.kill("SIGKILL")
    await once(this.#process!, "exit")
  }

  /** In an orderly way; answers the exit code. */
  async end(): Promise<number> {
    this.#process!.kill("SIGTERM")
    const [code] = await once(this.#process!, "exit")
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process?.kill("SIGKILL")
    await this.bench.close()
  }
}
