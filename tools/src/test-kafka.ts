/**
 * `npm run test:kafka`: the end-to-end suites against a real Apache Kafka.
 *
 * Brokers: MILLRACE_TEST_BROKERS, else one node started from Maven artifacts where java and mvn exist. Where neither is,
 * says why it skipped and exits 0. Further arguments go to vitest (a path runs those suites alone).
 */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { NoKafka, type RealKafka, startRealKafka } from "./real-kafka.ts"

interface Report {
  readonly numTotalTests: number
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
}

const root = fileURLToPath(new URL("../..", import.meta.url))

async function main(): Promise<number> {
  const given = process.env["MILLRACE_TEST_BROKERS"]
  let kafka: RealKafka | undefined
  try {
    if (!given) kafka = await startRealKafka()
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error
    console.log(`test:kafka skipped: ${error.message}; set MILLRACE_TEST_BROKERS to use a running cluster`)
    return 0
  }
  const brokers = given ?? kafka!.brokers
  console.log(`test:kafka against ${given ? "the cluster" : "a fresh Apache Kafka"} at ${brokers}`)
  const stop = () => process.exit(130)
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
  let code = 1
  try {
    code = await runSuites(brokers)
  } finally {
    if (code !== 0 && kafka)
      console.log(`the broker's log was ${kafka.logFile}; run again with a cluster of your own to keep it`)
    await kafka?.stop()
  }
  return code
}

async function runSuites(brokers: string): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-test-kafka-"))
  const report = join(directory, "report.json")
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`]
  const args = [vitest, "run", "--config", "vitest.kafka.config.ts", ...reporters, ...process.argv.slice(2)]
  try {
    const code = await new Promise<number>((resolve, reject) => {
      const env = { ...process.env, MILLRACE_TEST_BROKERS: brokers }
      const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit", env })
      child.once("error", reject)
      child.once("exit", (status) => resolve(status ?? 1))
    })
    if (existsSync(report)) {
      const { numTotalTests, numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
        readFileSync(report, "utf8"),
      ) as Report
      console.log(
        `test:kafka total=${numTotalTests} passed=${numPassedTests} failed=${numFailedTests} skipped=${numPendingTests}`,
      )
    }
    return code
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

process.exitCode = await main()
