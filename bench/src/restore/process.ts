/**
 * One process of suite "restore" or "rolling" as seen from outside: what it told, its CPU time, and when what it commits moves on.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import type { Admin } from "@millrace/client"
import type { Launch } from "../launch.ts"
import { cpuSecondsOf } from "../resources.ts"
import type { Told } from "./job.ts"

const SAMPLE_MS = 20
const INSIST_MS = 60_000

export interface Back {
  /** From spawn to the first commit of records. */
  readonly ms: number
  /** Of the process until then. */
  readonly cpuSeconds: number
  readonly told: Told
}

export class Instance {
  readonly #child: ChildProcess
  readonly #spawned = performance.now()
  readonly #exit: Promise<unknown>
  readonly #told: Promise<Told>
  #said = ""
  #hasEnded = false

  constructor(launch: Launch) {
    this.#child = spawn(launch.command, launch.args, { stdio: ["ignore", "pipe", "pipe"] })
    this.#child.stderr!.on("data", (chunk) => (this.#said = (this.#said + String(chunk)).slice(-4_000)))
    this.#exit = once(this.#child, "exit").then(() => (this.#hasEnded = true))
    this.#told = new Promise((resolve) => {
      createInterface({ input: this.#child.stdout! }).on("line", (line) => {
        if (line.startsWith('{"restored"')) resolve(JSON.parse(line) as Told)
      })
    })
  }

  /** Waits until all of its tasks run. */
  async runs(): Promise<Told> {
    const ended = this.#exit.then(() => {
      throw new Error(`the process ended\n${this.#said}`)
    })
    return await Promise.race([this.#told, ended])
  }

  /** Waits until the group has committed more than `before`. */
  async isBack(admin: Admin, group: string, before: number, limitMs: number): Promise<Back> {
    while ((await committedBy(admin, group)) <= before) await this.#wait(limitMs)
    const ms = performance.now() - this.#spawned
    return { ms, cpuSeconds: cpuSecondsOf(this.#child.pid!), told: await this.#told }
  }

  async hasCommitted(admin: Admin, group: string, all: number, limitMs: number): Promise<void> {
    while ((await committedBy(admin, group)) < all) await this.#wait(limitMs)
  }

  async #wait(limitMs: number): Promise<void> {
    if (this.#hasEnded) throw new Error(`the process ended\n${this.#said}`)
    if (performance.now() - this.#spawned > limitMs) throw new Error(`nothing within ${limitMs} ms\n${this.#said}`)
    await sleep(SAMPLE_MS)
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL")
    await this.#exit
  }

  /** In order. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM")
    const insist = setTimeout(() => this.#child.kill("SIGKILL"), INSIST_MS)
    await this.#exit
    clearTimeout(insist)
  }
}

/** Input offsets that the group has committed, summed up. */
export async function committedBy(admin: Admin, group: string): Promise<number> {
  // The group does not exist before the process has joined it.
  const offsets = await admin.listGroupOffsets(group).catch(() => [])
  return offsets.reduce((sum, { offset }) => sum + Math.max(0, offset), 0)
}
