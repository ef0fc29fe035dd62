/**
 * SIGKILL, again and again, while records keep coming: every word is counted exactly once. kill.test.ts runs it on our
 * broker, e2e/kill.e2e.ts on Apache Kafka.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "./bench.ts"

const In = S.topic(named("kill-in"), { key: string, value: string })
const Out = S.topic(named("kill-out"), { key: string, value: json<number>() })
const KILLS = 4
const RECORDS = 400

export function killSuite(startBench: () => Promise<Bench>): void {
  test("a killed worker loses nothing and counts nothing twice", { timeout: 90_000 }, async () => {
    const bench = await startBench()
    let worker: ChildProcess | undefined
    const start = async () => {
      const script = path.join(import.meta.dirname, "kill-worker.ts")
      worker = spawn(
        process.execPath,
        [script, bench.brokers, path.join(bench.directory, "kill"), In.name, Out.name, named("kill-app")],
        {
          stdio: ["ignore", "pipe", "pipe"],
        },
      )
      worker.stderr!.on("data", (chunk: Buffer) => errors.push(String(chunk)))
      await once(worker.stdout!, "data")
    }
    const errors: string[] = []
    try {
      await bench.createTopics({ "kill-in": 3, "kill-out": 1 })
      let sent = 0
      const send = async () => {
        const records = Array.from({ length: RECORDS }, () => [`k${sent % 5}`, `w${sent % 20}`, sent++] as const)
        await bench.produce(In, records)
      }
      for (let kill = 0; kill < KILLS; kill++) {
        await start()
        await send()
        // Somewhere in the middle: some output of this round is there, not all of it.
        const soFar = kill * RECORDS
        await eventually("output comes", async () => (await bench.consume(Out, soFar + 1, 5_000)).length > soFar)
        worker!.kill("SIGKILL")
        await once(worker!, "exit")
      }
      await start()
      await send()
      const found = await bench.consume(Out, sent, 30_000)
      expect(found.length, errors.join("")).toBe(sent)
      const counts = new Map<string, number[]>()
      for (const { key, value } of found) counts.set(key, [...(counts.get(key) ?? []), value!])
      // Each word's counts are 1, 2, 3 … without a gap or a repetition.
      for (const [word, values] of counts) expect(values, word).toEqual(values.map((_, at) => at + 1))
      worker!.kill("SIGTERM")
      const [code] = await once(worker!, "exit")
      expect(code).toBe(0)
    } finally {
      worker?.kill("SIGKILL")
      await bench.close()
    }
  })
}
