/**
 * Suite "start": from spawn to ready, seen from outside, and memory at rest; beside Apache Kafka on the same machine.
 *
 * Millrace is ready with its ready line, Kafka when it answers on its port (its data directory is formatted before the
 * clock starts). Both start warm: one uncounted round first. Memory is the process's resident set two seconds later.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { NoKafka, startRealKafka } from "@millrace/tools/real-kafka"
import { residentMbOf } from "./resources.ts"
import { median, type Row, type SuiteOptions } from "./suite.ts"

const MILLRACE = fileURLToPath(import.meta.resolve("millrace/bin/millrace.mjs"))
const REST_MS = 2_000

interface Sample {
  readonly readyMs: number
  readonly residentMb: number
}

export async function run({ rounds }: SuiteOptions): Promise<Row[]> {
  const samples: Record<string, Sample[]> = { millrace: [] }
  for (let round = -1; round < rounds; round++) {
    const ours = await startMillrace()
    const theirs = await startKafka()
    if (round < 0) continue
    samples["millrace"]!.push(ours)
    if (theirs !== undefined) (samples["kafka"] ??= []).push(theirs)
  }
  const medians = (of: (sample: Sample) => number) =>
    Object.fromEntries(Object.entries(samples).map(([who, all]) => [who, median(all.map(of))]))
  return [
    { what: "start to ready", unit: "ms", moreIsBetter: false, medians: medians((sample) => sample.readyMs) },
    {
      what: "resident memory at rest",
      unit: "MB",
      moreIsBetter: false,
      medians: medians((sample) => sample.residentMb),
    },
  ]
}

async function startMillrace(): Promise<Sample> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-bench-"))
  const spawned = performance.now()
  const child = spawn(process.execPath, [MILLRACE, "broker", "--data", directory, "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  await once(child.stdout, "data")
  const readyMs = performance.now() - spawned
  const residentMb = await residentAtRest(child.pid!)
  const exit = once(child, "exit")
  child.kill("SIGTERM")
  await exit
  rmSync(directory, { recursive: true, force: true })
  return { readyMs, residentMb }
}

/** Undefined where Kafka cannot run. */
async function startKafka(): Promise<Sample | undefined> {
  try {
    const kafka = await startRealKafka()
    await kafka.kill()
    const spawned = performance.now()
    await kafka.restart()
    const readyMs = performance.now() - spawned
    const residentMb = await residentAtRest(kafka.pid)
    await kafka.stop()
    return { readyMs, residentMb }
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error
    console.error(`Apache Kafka is not measured: ${error.message}`)
    return undefined
  }
}

async function residentAtRest(pid: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS))
  return residentMbOf(pid)
}
