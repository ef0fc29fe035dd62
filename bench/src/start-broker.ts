/**
 * The broker under the suites: a real Apache Kafka, or Millrace's own in a process of its own.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { startRealKafka } from "@millrace/tools/real-kafka"
import type { BrokerName } from "./suite.ts"

const MILLRACE = fileURLToPath(import.meta.resolve("millrace/bin/millrace.mjs"))

/** A machine that is busy must not lose its broker: Kafka's own defaults instead of the suites' short ones. */
const DEFAULTS = {
  "broker.session.timeout.ms": "18000",
  "broker.heartbeat.interval.ms": "2000",
  "log.segment.bytes": "1073741824",
}

export interface BenchBroker {
  readonly brokers: string
  readonly pid: number
  stop(): Promise<void>
}

export async function startBroker(name: BrokerName): Promise<BenchBroker> {
  if (name === "kafka") return await startRealKafka({ heapMb: 1024, config: DEFAULTS })
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-bench-broker-"))
  const args = ["broker", "--data", directory, "--listen", "127.0.0.1:0"]
  const child = spawn(process.execPath, [MILLRACE, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  const [ready] = await once(child.stdout, "data")
  return {
    pid: child.pid!,
    brokers: /kafka=(\S+)/.exec(String(ready))![1]!,
    async stop() {
      const exit = once(child, "exit")
      child.kill("SIGTERM")
      await exit
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
