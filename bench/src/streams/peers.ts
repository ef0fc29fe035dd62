/**
 * The processes that suite "streams" compares, and how each is started: with the defaults of what it runs on.
 */
import * as path from "node:path"
import { installed } from "@millrace/tools/npm-cache"
import { javaClassPath, type Launch, nodeLaunch } from "../launch.ts"
import { schemaTexts } from "./data.ts"
import type { Job } from "./job.ts"

const FLOW_VERSION = "0.12.0"
const here = (file: string) => path.join(import.meta.dirname, file)

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

export const kafkaStreams: Peer = {
  name: "Kafka Streams",
  cannot: () => undefined,
  launch: (job) => javaLaunch("millrace.Topologies", { ...job, schemas: schemaTexts() }),
}

/** A class of java/millrace, compiled against Kafka Streams. */
export async function javaLaunch(main: string, job: object): Promise<Launch> {
  const classPath = await javaClassPath(here("java/millrace"), "streams")
  return { command: "java", args: ["-cp", classPath, main, JSON.stringify(job)] }
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
