/**
 * How the processes of suites are started: files of ours by this Node, Java compiled against the jars that it needs.
 */
import { rmSync } from "node:fs"
import { readdir } from "node:fs/promises"
import * as path from "node:path"
import { compileJava } from "@millrace/tools/compile-java"
import { kafkaJars, type KafkaProfile, requireJava } from "@millrace/tools/kafka-jars"

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A file of ours; its job is its argument. */
export const nodeLaunch = (file: string, job: object): Launch => ({
  command: process.execPath,
  args: [...nodeFlags(), file, JSON.stringify(job)],
})

/** For profiles: MILLRACE_BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profiles". */
export const nodeFlags = () => process.env["MILLRACE_BENCH_NODE_FLAGS"]?.split(" ") ?? []

const classPaths = new Map<string, Promise<string>>()

/** The class path of all Java sources in a directory, compiled once in a process, with the jars of the profile. */
export function javaClassPath(sources: string, profile: KafkaProfile): Promise<string> {
  const known = classPaths.get(sources) ?? compiled(sources, profile)
  classPaths.set(sources, known)
  return known
}

async function compiled(sources: string, profile: KafkaProfile): Promise<string> {
  await requireJava()
  const files = (await readdir(sources)).map((file) => path.join(sources, file))
  const classes = await compileJava(files, profile)
  process.once("exit", () => rmSync(classes, { recursive: true, force: true }))
  return [classes, path.join(await kafkaJars(profile), "*")].join(path.delimiter)
}
