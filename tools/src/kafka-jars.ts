/**
 * Where the jars of Apache Kafka are.
 *
 * In this order: the directory in the environment variable that PROFILES names, then the user's cache, then Maven, which
 * fills the cache from tools/kafka/pom.xml.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { cached } from "./cache.ts"

const run = promisify(execFile)

/** Must name what tools/kafka/pom.xml names: a cache directory belongs to one version. */
const PROFILES = {
  broker: { directory: "kafka-broker-4.4.0", variable: "MILLRACE_KAFKA_LIB" },
  tools: { directory: "kafka-tools-4.3.1", variable: "MILLRACE_KAFKA_TOOLS_LIB" },
  streams: { directory: "kafka-streams-4.4.0-avro-1.12.0", variable: "MILLRACE_KAFKA_STREAMS_LIB" },
  connect: { directory: "kafka-connect-4.3.1", variable: "MILLRACE_KAFKA_CONNECT_LIB" },
  smoke: { directory: "kafka-streams-smoke-4.3.1", variable: "MILLRACE_KAFKA_SMOKE_LIB" },
} as const

export type KafkaProfile = keyof typeof PROFILES

/** The reason why no Apache Kafka can be run here; a caller that may skip prints it. */
export class NoKafka extends Error {
  override readonly name = "NoKafka"
}

/** A directory full of jars. */
export async function kafkaJars(profile: KafkaProfile): Promise<string> {
  const { directory, variable } = PROFILES[profile]
  const given = process.env[variable]
  if (given !== undefined && given !== "") {
    if (!existsSync(given)) throw new NoKafka(`${variable} names ${given}, which does not exist`)
    return given
  }
  return cached(directory, (staging) => resolveWithMaven(profile, staging))
}

async function resolveWithMaven(profile: KafkaProfile, directory: string): Promise<void> {
  const pom = fileURLToPath(new URL("../kafka/pom.xml", import.meta.url))
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${directory}`]
  try {
    await run("mvn", ["-q", "-B", "-f", pom, "-P", profile, ...goal], { maxBuffer: 1 << 24 })
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT"
    throw new NoKafka(missing ? "mvn is not installed" : `Maven could not resolve Apache Kafka (${String(cause)})`)
  }
  const jars = (await readdir(directory)).filter((name) => name.endsWith(".jar"))
  if (jars.length === 0) throw new NoKafka("Maven resolved no jars for Apache Kafka")
}

/** Throws `NoKafka` unless a JVM answers. */
export async function requireJava(): Promise<void> {
  await run("java", ["-version"]).catch(() => {
    throw new NoKafka("java is not installed")
  })
}

/** The class path of Kafka's own command line tools: `java -cp <this> org.apache.kafka.tools.TopicCommand ...`. */
export async function toolsClasspath(): Promise<string> {
  await requireJava()
  return join(await kafkaJars("tools"), "*")
}
