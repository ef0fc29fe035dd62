/**
 * The processes that suite "streams" compares, and how each is started: with the defaults of what it runs on.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { homedir, tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { kafkaJars, requireJava } from "@millrace/tools/kafka-jars"
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
const nodeFlags = () => process.env["MILLRACE_BENCH_NODE_FLAGS"]?.split(" ") ?? []

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
  process.once("exit", () => void rm(classes, { recursive: true, force: true }))
  const sources = here("java/millrace")
  const files = (await readdir(sources)).map((file) => path.join(sources, file))
  await run("javac", ["-cp", jars, "-d", classes, ...files])
  return `${classes}:${jars}`
}

let flow: Promise<string> | undefined

export const kafkats: Peer = {
  name: "@kafkats/flow",
  cannot: ({ format }) => (format === "avro" ? "it brings no Avro codec" : undefined),
  async launch(job) {
    flow ??= installed()
    return {
      command: process.execPath,
      args: [here("kafkats.ts"), JSON.stringify(job)],
      env: { KAFKATS_FLOW: await flow },
    }
  },
}

/** The module's file, installed by npm where the jars of Kafka are kept too. */
async function installed(): Promise<string> {
  const root = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "millrace")
  const target = path.join(root, `kafkats-flow-${FLOW_VERSION}`)
  if (!existsSync(target)) {
    await mkdir(root, { recursive: true })
    const staging = await mkdtemp(`${target}-`)
    await run("npm", ["install", "--prefix", staging, "--ignore-scripts", "--no-save", `@kafkats/flow@${FLOW_VERSION}`])
    await rename(staging, target)
  }
  return path.join(target, "node_modules/@kafkats/flow/dist/index.js")
}
