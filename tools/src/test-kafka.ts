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
import { authority, server } from "@millrace/testing/certificates"
import { NoKafka, type RealKafka, startRealKafka } from "./real-kafka.ts"

interface Report {
  readonly numTotalTests: number
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
}

const root = fileURLToPath(new URL("../..", import.meta.url))

const pem = (text: string) => text.trim().replaceAll("\n", "\\n")
const LOGIN = "org.apache.kafka.common.security"

/** What the suites of security find: users for PLAIN, SCRAM, authentications that end soon, and delegation tokens. */
const SECURE = {
  "ssl.keystore.type": "PEM",
  "ssl.keystore.key": pem(server.key),
  "ssl.keystore.certificate.chain": pem(server.cert),
  "ssl.truststore.type": "PEM",
  "ssl.truststore.certificates": pem(authority),
  "listener.name.ssl.ssl.client.auth": "required",
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
  "connections.max.reauth.ms": "1000",
  "delegation.token.secret.key": "what tokens are made with",
  "delegation.token.expiry.check.interval.ms": "500",
  "listener.name.sasl_ssl.plain.sasl.jaas.config": `${LOGIN}.plain.PlainLoginModule required user_alice="secret" user_bob="secret";`,
  "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": `${LOGIN}.scram.ScramLoginModule required;`,
  "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": `${LOGIN}.scram.ScramLoginModule required;`,
}

async function main(): Promise<number> {
  const given = process.env["MILLRACE_TEST_BROKERS"]
  let kafka: RealKafka | undefined
  try {
    if (!given) kafka = await startRealKafka({ listeners: ["SASL_SSL", "SSL"], config: SECURE })
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
    code = await runSuites(brokers, kafka?.listeners)
  } finally {
    if (code !== 0 && kafka)
      console.log(`the broker's log was ${kafka.logFile}; run again with a cluster of your own to keep it`)
    await kafka?.stop()
  }
  return code
}

async function runSuites(brokers: string, listeners: Readonly<Record<string, string>> | undefined): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-test-kafka-"))
  const report = join(directory, "report.json")
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`]
  const args = [vitest, "run", "--config", "vitest.kafka.config.ts", ...reporters, ...process.argv.slice(2)]
  try {
    const code = await new Promise<number>((resolve, reject) => {
      const secure = listeners && { MILLRACE_TEST_SECURE_BROKERS: JSON.stringify(listeners) }
      const env = { ...process.env, MILLRACE_TEST_BROKERS: brokers, ...secure }
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
