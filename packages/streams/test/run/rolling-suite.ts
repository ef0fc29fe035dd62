/**
 * Three processes under load, each stopped and started again in turn, then each killed: nothing is lost or counted twice,
 * and how long every task paused is printed. rolling.test.ts runs it on our broker, e2e/rolling.e2e.ts on Apache Kafka.
 *
 * A pause is the longest time between two results of a task's partition, by the broker's clock: the results' topic has as
 * many partitions as there are tasks, and takes the time of appending.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "./bench.ts"

const In = S.topic(named("rolling-in"), { key: string, value: string })
const Out = S.topic(named("rolling-out"), { key: string, value: json<number>() })
const PROCESSES = 3
const PARTITIONS = 6
const WORDS = 60
const LOAD_RECORDS = 60
const LOAD_INTERVAL_MS = 25
/** Beyond this a task did not pause, it was down: a session that has to expire is shorter. */
const PAUSE_MS_MAX = 15_000

class WorkerProcess {
  readonly errors: string[] = []
  tasks = 0
  copies = 0
  readonly #child: ChildProcess

  constructor(bench: Bench, index: number) {
    const script = path.join(import.meta.dirname, "kill-worker.ts")
    const { groupProtocol } = bench
    const options = JSON.stringify({
      groupProtocol,
      // The broker's matter in a streams group.
      ...(groupProtocol === "classic" && { standbyReplicas: 1 }),
      sessionTimeoutMs: 10_000,
      repartitionPurgeIntervalMs: 300,
    })
    const stateDir = path.join(bench.directory, `rolling-${index}`)
    const argv = [script, bench.brokers, stateDir, In.name, Out.name, named("rolling-app"), options]
    this.#child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] })
    this.#child.stderr!.on("data", (chunk: Buffer) => this.errors.push(String(chunk)))
    this.#child.stdout!.on("data", (chunk: Buffer) => {
      const last = String(chunk).trim().split("\n").at(-1)!
      if (/^\d+ \d+$/.test(last)) [this.tasks, this.copies] = last.split(" ").map(Number) as [number, number]
    })
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    this.#child.kill(signal)
    const [code] = await once(this.#child, "exit")
    return code
  }
}

export function rollingSuite(startBench: () => Promise<Bench>): void {
  test(
    "R5 S7: three processes are restarted in turn under load: nothing is lost or doubled",
    { timeout: 180_000 },
    async () => {
      const bench = await startBench()
      const workers: WorkerProcess[] = []
      let isLoading = true
      try {
        await bench.createTopics({ "rolling-in": PARTITIONS })
        const configs = { "message.timestamp.type": "LogAppendTime" }
        await bench.client.admin().createTopics([{ name: Out.name, partitions: PARTITIONS, configs }])
        for (let index = 0; index < PROCESSES; index++) workers.push(new WorkerProcess(bench, index))
        // How a broker spreads the copies is its own matter.
        const isCopied = () =>
          bench.groupProtocol === "classic"
            ? workers.every(({ copies }) => copies === 2)
            : workers.reduce((sum, { copies }) => sum + copies, 0) === PARTITIONS
        const isBalanced = () => workers.every(({ tasks }) => tasks === 4) && isCopied()
        const settled = async (what: string) => {
          const holds = () => {
            const failed = workers.flatMap(({ errors }) => errors).find((line) => line.includes("Error"))
            if (failed !== undefined) throw new Error(failed)
            return isBalanced()
          }
          await eventually(what, holds).catch((cause: unknown) => {
            const counts = workers.map(({ tasks, copies }) => `${tasks} tasks, ${copies} copies`)
            throw new Error(`not settled ${what}: ${counts.join("; ")}`, { cause })
          })
        }
        await settled("at the start")
        let sent = 0
        const load = (async () => {
          await using producer = bench.client.producer()
          while (isLoading) {
            for (let count = 0; count < LOAD_RECORDS; count++, sent++) {
              producer.append(In.name, sent % PARTITIONS, sent, In.key.encode("k"), In.value.encode(`w${sent % WORDS}`))
            }
            await producer.flush()
            await new Promise((resolve) => setTimeout(resolve, LOAD_INTERVAL_MS))
          }
        })()
        const marks: Array<readonly [string, number]> = []
        for (const signal of ["SIGTERM", "SIGKILL"] as const) {
          for (let index = 0; index < PROCESSES; index++) {
            marks.push([`${signal} ${index}`, Date.now()])
            const code = await workers[index]!.end(signal)
            if (signal === "SIGTERM") expect(code).toBe(0)
            workers[index] = new WorkerProcess(bench, index)
            await settled(`after ${signal} of process ${index}`)
          }
        }
        marks.push(["end", Date.now()])
        isLoading = false
        await load
        const found = await bench.consume(Out, sent)
        expect(found).toHaveLength(sent)
        for (const [word, list] of Map.groupBy(found, ({ key }) => key)) {
          expect(
            list.map(({ value }) => value),
            word,
          ).toEqual(list.map((_, at) => at + 1))
        }
        const pauses = marks.slice(0, -1).map(([what, from], at) => [what, ...pausesOf(found, from, marks[at + 1]![1])])
        console.log(
          ["rolling restarts, longest pause of each task in ms:", ...pauses.map((row) => row.join(" "))].join("\n"),
        )
        expect(Math.max(...pauses.flatMap(([, ...row]) => row as number[]))).toBeLessThan(PAUSE_MS_MAX)
      } finally {
        isLoading = false
        for (const worker of workers) await worker.end("SIGKILL")
        await bench.close()
      }
    },
  )
}

/** By partition: the longest time between two results within the span. */
function pausesOf(found: ReadonlyArray<{ partition: number; timestamp: number }>, from: number, to: number): number[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const times = found.filter((one) => one.partition === partition && one.timestamp >= from && one.timestamp < to)
    let longest = 0
    for (let at = 1; at < times.length; at++)
      longest = Math.max(longest, times[at]!.timestamp - times[at - 1]!.timestamp)
    return Math.round(longest)
  })
}
