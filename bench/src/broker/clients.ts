/**
 * The clients of suite "broker": Kafka's own performance tools, and kcat. Each run is a process of its own; the Java
 * producer's warm-up records and the group's rebalance are left out of the time by the tools themselves.
 */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { toolsClasspath } from "@millrace/tools/kafka-jars"
import { javaClassPath } from "../launch.ts"
import type { Client, Consume, Produce } from "./cases.ts"
import type { Payloads } from "./payloads.ts"

const execute = promisify(execFile)
const LIMIT_MS = 300_000
const OUTPUT_BYTES = 1 << 24
/** Of a run of the Java producer. */
const WARM_UP_PART = 0.25
const KCAT = "kcat"
const ROOM = ["-X", "queued.min.messages=1000000", "-X", "queued.max.messages.kbytes=1000000"]
/** Seconds, of each run of the latency's program. */
const LATENCY_WARM_UP = 2
const LATENCY_MEASURED = 4

/** What a run of a client did; seconds of the records that count. */
export interface Run {
  readonly records: number
  readonly seconds: number
}

export interface Latencies {
  readonly p50: number
  readonly p99: number
}

export interface Target {
  readonly brokers: string
  readonly topic: string
  readonly records: number
  /** In front of every client's command: what pins it. */
  readonly pin: readonly string[]
}

type Clients = Readonly<
  Record<
    Client,
    {
      produce(one: Produce, target: Target, payloads: Payloads): Promise<Run>
      consume(one: Consume, target: Target): Promise<Run>
    }
  >
>

export const CLIENTS: Clients = {
  java: {
    async produce({ acks, codec }, { brokers, topic, records, pin }, { file }) {
      const warmUp = Math.round(records * WARM_UP_PART)
      const said = await java(pin, await toolsClasspath(), "org.apache.kafka.tools.ProducerPerformance", [
        ...["--bootstrap-server", brokers, "--topic", topic, "--payload-file", file, "--throughput", "-1"],
        ...["--num-records", String(records), "--warmup-records", String(warmUp)],
        ...["--command-property", acks, `compression.type=${codec}`],
      ])
      // The last line is of what came after the warm-up.
      const [, counted, rate] = /(\d+) steady state records sent, ([\d.]+) records\/sec/.exec(said) ?? unread(said)
      return { records: Number(counted), seconds: Number(counted) / Number(rate) }
    },
    async consume(_, { brokers, topic, records, pin }) {
      const said = await java(pin, await toolsClasspath(), "org.apache.kafka.tools.ConsumerPerformance", [
        ...["--bootstrap-server", brokers, "--topic", topic, "--num-records", String(records), "--hide-header"],
      ])
      // start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, …
      const fields = said.trim().split("\n").at(-1)!.split(", ").slice(4)
      if (fields.length !== 6) unread(said)
      return { records: Number(fields[0]), seconds: Number(fields[3]) / 1_000 }
    },
  },
  kcat: {
    async produce({ acks, codec }, { brokers, topic, records, pin }, { file, lines }) {
      const files = Array.from({ length: Math.floor(records / lines) }, () => file).join(" ")
      const rest = `head -n ${records % lines} ${file}`
      const to = [KCAT, "-b", brokers, "-P", "-t", topic, "-z", codec, "-X", acks].join(" ")
      const { seconds } = await shell(pin, `(cat ${files}; ${rest}) | ${to}`)
      return { records, seconds }
    },
    /**
     * From the first record to the last, with a queue that holds them all. By default librdkafka stops fetching at 64 MB and looks
     * again within a second: whoever fills the queue sooner than kcat empties it waits for most of one. Behind the last record
     * it would wait half a second for a fetch with nothing in it.
     */
    async consume({ valueBytes }, { brokers, topic, records, pin }) {
      const from = [KCAT, "-b", brokers, "-C", "-t", topic, "-o", "beginning", "-c", records, "-q", ...ROOM].join(" ")
      const timed = "IFS= read -rN1 first; began=$EPOCHREALTIME; rest=$(wc -c); echo $began $EPOCHREALTIME $rest"
      const { said } = await shell(pin, `${from} | { ${timed}; }`)
      const [began, ended, rest] = said.split(" ").map(Number)
      return { records: (rest! + 1) / (valueBytes + 1), seconds: ended! - began! }
    },
  },
}

/** Whether kcat is installed; the Java tools come from Maven. */
export const hasKcat = (): Promise<boolean> =>
  execute(KCAT, ["-V"]).then(
    () => true,
    () => false,
  )

export async function latencies({ brokers, topic, pin }: Target, rate: number): Promise<Latencies> {
  const classPath = await javaClassPath(path.join(import.meta.dirname, "java/millrace"), "broker")
  const seconds = [LATENCY_WARM_UP, LATENCY_MEASURED].map(String)
  return JSON.parse(await java(pin, classPath, "millrace.Latency", [brokers, topic, String(rate), ...seconds]))
}

async function java(pin: readonly string[], classPath: string, main: string, args: readonly string[]): Promise<string> {
  const [command, ...rest] = [...pin, "java", "-Xms512m", "-Xmx512m", "-cp", classPath, main, ...args]
  return (await execute(command!, rest, { timeout: LIMIT_MS, maxBuffer: OUTPUT_BYTES })).stdout
}

async function shell(pin: readonly string[], script: string): Promise<{ seconds: number; said: string }> {
  const [command, ...args] = [...pin, "bash", "-c", `export LC_ALL=C; set -o pipefail; ${script}`]
  const started = performance.now()
  const { stdout } = await execute(command!, args, { timeout: LIMIT_MS, maxBuffer: OUTPUT_BYTES })
  return { seconds: (performance.now() - started) / 1_000, said: stdout }
}

function unread(said: string): never {
  throw new Error(`not what was to be read: ${said.slice(-1_000)}`)
}
