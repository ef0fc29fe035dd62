/**
 * Compiles Java sources of ours against the jars of Apache Kafka: a plugin that its broker is to load, or a program.
 */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { kafkaJars, type KafkaProfile, NoKafka } from "./kafka-jars.ts"

const run = promisify(execFile)

/** A directory of classes, the caller's to remove. Throws `NoKafka` where there is no compiler. */
export async function compileJava(sources: readonly string[], profile: KafkaProfile): Promise<string> {
  const jars = await kafkaJars(profile)
  const directory = mkdtempSync(join(tmpdir(), "millrace-classes-"))
  try {
    await run("javac", ["-cp", join(jars, "*"), "-d", directory, ...sources])
  } catch (cause) {
    rmSync(directory, { recursive: true })
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw new NoKafka("javac is not installed")
    throw cause
  }
  return directory
}
