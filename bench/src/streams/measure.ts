/**
 * What one process does per CPU second, seen from outside: its progress is what its group has committed, its CPU time what
 * the system counted for all its threads. The clock starts once the warm-up's part of the input is committed, and stops
 * when the whole input is and nothing of the group moves any more, which covers what passes through repartition topics.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import type { Admin } from "@millrace/client"
import type { Launch } from "../launch.ts"
import { cpuSecondsOf, residentMbOf } from "../resources.ts"

const SAMPLE_MS = 100
const STILL_MS = 3_000

export interface Sample {
  readonly records: number
  readonly cpuSeconds: number
  /** The whole input was processed; without it the time limit cut it. */
  readonly isComplete: boolean
  readonly residentMb: number
}

export interface Measured {
  readonly group: string
  readonly topics: readonly string[]
  /** Records in those topics, and how many of them only warm up. */
  readonly records: number
  readonly warmUp: number
  readonly limitMs: number
}

export async function measure(launch: Launch, admin: Admin, what: Measured): Promise<Sample> {
  const child = spawn(launch.command, launch.args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...launch.env },
  })
  let said = ""
  child.stderr!.on("data", (chunk) => (said = (said + String(chunk)).slice(-4_000)))
  const exit = once(child, "exit")
  let hasEnded = false
  void exit.then(() => (hasEnded = true))
  const deadline = performance.now() + what.limitMs
  let start: { readonly records: number; readonly cpuSeconds: number } | undefined
  let last = { records: 0, cpuSeconds: 0, sum: -1, at: performance.now() }
  let residentMb = 0
  try {
    for (;;) {
      if (hasEnded) throw new Error(`${launch.command} ${launch.args[0]} ended\n${said}`)
      const { input, sum } = await progress(admin, what)
      const now = performance.now()
      if (sum > last.sum) {
        last = { records: input, cpuSeconds: cpuSecondsOf(child.pid!), sum, at: now }
        residentMb = residentMbOf(child.pid!)
      }
      if (start === undefined && input >= what.warmUp && input > 0) start = last
      const isComplete = input >= what.records && now - last.at > STILL_MS
      if (isComplete || now > deadline) {
        const from = start ?? { records: 0, cpuSeconds: 0 }
        return {
          records: last.records - from.records,
          cpuSeconds: last.cpuSeconds - from.cpuSeconds,
          isComplete,
          residentMb,
        }
      }
      await sleep(SAMPLE_MS)
    }
  } finally {
    child.kill("SIGTERM")
    const insist = globalThis.setTimeout(() => child.kill("SIGKILL"), 15_000)
    await exit
    clearTimeout(insist)
  }
}

async function progress(admin: Admin, { group, topics }: Measured): Promise<{ input: number; sum: number }> {
  let input = 0
  let sum = 0
  // The group does not exist before the process has joined it.
  const offsets = await admin.listGroupOffsets(group).catch(() => [])
  for (const { topic, offset } of offsets) {
    if (offset < 0) continue
    sum += offset
    if (topics.includes(topic)) input += offset
  }
  return { input, sum }
}
