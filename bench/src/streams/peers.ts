/**
 * The processes that suite "streams" compares, and how each is started: with the defaults of what it runs on.
 */
import { execFile } from "node:child_process"
import { rmSync } from "node:fs"
import { mkdtemp, readdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { kafkaJars, requireJava } from "@millrace/tools/kafka-jars"
import { installed } from "../npm-cache.ts"
import { schemaTexts } from "./data.ts"
import type { Job } from "./job.ts"

const run = promisify(execFile)
const FLOW_VERSION = "0.12.0"
const here = (file: string) => path.join(import.meta.dirname, file)

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Peer {
  readonly name: string
  /** Why it cannot do a job; undefined if it can. */
  cannot(job: Pick<Job, "format">): string | undefined
  launch(job: Job): Promise<Launch>
}

export const millrace: Peer = {
  name: "millrace",
  cannot: () => undefined,
  launch: async (job) => nodeLaunch(here("millrace.ts"), job),
}

/** A file of ours; its job is its argument. */
export const nodeLaunch = (file: string, job: object): Launch => ({
  command: process.execPath,
  args: [...nodeFlags(), file, JSON.stringify(job)],
})

/** For profiles: MILLRACE_BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profiles". */
export const nodeFlags = () => process.env["MILLRACE_BENCH_NODE_FLAGS"]?.split(" ") ?? []

export const kafkaStreams: Peer = {
  name: "Kafka Streams",
  cannot: () => undefined,
  launch: (job) => javaLaunch("millrace.Topologies", { ...job, schemas: schemaTexts() }),
}

let classPath: Promise<string> | undefined

/** A class of java/millrace, compiled against Kafka Streams. */
export async function javaLaunch(main: string, job: object): Promise<Launch> {
  classPath ??= compiled()
  return { command: "java", args: ["-cp", await classPath, main, JSON.stringify(job)] }
}

async function compiled(): Promise<string> {
  await requireJava()
  const jars = path.join(await kafkaJars("streams"), "*")
  const classes = await mkdtemp(path.join(tmpdir(), "millrace-bench-classes-"))
  process.once("exit", () => rmSync(classes, { recursive: true, force: true }))
  const sources = here("java/millrace")
  const files = (await readdir(sources)).map((file) => path.join(sources, file))
  await run("javac", ["-cp", jars, "-d", classes, ...files])
  return `${classes}:${jars}`
}

export const kafkats: Peer = {
  name: "@kafkats/flow",
  cannot: ({ format }) => (format === "avro" ? "it brings no Avro codec" : undefined),
  async launch(job) {
    const flow = await installed({ name: "@kafkats/flow", version: FLOW_VERSION })
    return {
      command: process.execPath,
      args: [here("kafkats.ts"), JSON.stringify(job)],
      env: { KAFKATS_FLOW: path.join(flow, "dist/index.js") },
    }
  },
}
