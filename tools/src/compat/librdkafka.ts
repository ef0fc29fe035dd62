/**
 * librdkafka's own tests, each number in a process of its own, on three brokers: the clusters that the tests ask for.
 *
 * What they call of Kafka's scripts is run from Kafka's jars. The tests left out are in LEFT_OUT, and no others: one that
 * skips itself for another reason counts as failed.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { kafkaJars } from "../kafka-jars.ts"
import { BrokerProcess } from "../torture/broker-process.ts"
import { type Check, Skip } from "./check.ts"
import { type RunnerTest, type TestReport, type TestRunner, testRunner } from "./librdkafka-runner.ts"
import type { Suite } from "./suite.ts"

/** What our broker is compatible with; tests choose by it what they expect. */
const KAFKA_VERSION = "4.4.0"

/** Most tests wait most of the time. */
const AT_ONCE = 3

/** It runs for several minutes: begun first, the others do not leave it behind. */
const LONGEST = "0113"

const LEFT_OUT: readonly { readonly why: string; readonly tests: readonly string[] }[] = [
  { why: "needs brokers in several racks", tests: ["0101"] },
  { why: "fails in the same way on Apache Kafka 4.4, and is marked as a known issue", tests: ["0028", "0047"] },
  { why: "is about a message format that Apache Kafka 4 does not take either", tests: ["0092"] },
  { why: "needs certificates that trivup, the project's launcher of clusters, makes", tests: ["0097"] },
  { why: "needs the token server that trivup starts", tests: ["0126"] },
  {
    why: "is about share groups, which come later",
    tests: [
      ...["0170", "0171", "0172", "0173", "0174", "0175", "0176", "0177", "0178", "0179", "0180", "0181", "0184"],
      "0185",
    ],
  },
]

/** What the tests expect of a cluster; those of access rules write denials of their own. */
const SETTINGS = [
  "num.partitions=4",
  "group.initial.rebalance.delay.ms=1000",
  "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  "allow.everyone.if.no.acl.found=true",
  "super.users=User:admin",
]

const SASL = [
  "listeners=SASL_PLAINTEXT://127.0.0.1:0",
  "sasl.enabled.mechanisms=PLAIN",
  'listener.name.sasl_plaintext.plain.sasl.jaas.config=PlainLoginModule required user_admin="admin-secret";',
  "connections.max.reauth.ms=5000",
]
const SASL_CLIENT = [
  "security.protocol=SASL_PLAINTEXT",
  "sasl.mechanism=PLAIN",
  "sasl.username=admin",
  "sasl.password=admin-secret",
]
/** Those that are about SASL, and skip themselves elsewhere. */
const SASL_TESTS = ["0135", "0142"]

/** Of tests that are about share groups too: the parts that are not. OAUTHBEARER would be without signatures. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  "0135": ["do_test:"],
  "0142": ["do_test_consumer:", "do_test_producer:", "do_test_txn_producer:", "do_test_reauth_failure:"],
}

interface Cluster {
  readonly broker: BrokerProcess
  /** What the runner is told of it. */
  readonly env: Readonly<Record<string, string>>
}

export const librdkafka: Suite = {
  title: "librdkafka's own tests",

  async run(perform) {
    let runner: TestRunner
    try {
      runner = await testRunner()
    } catch (error) {
      if (!(error instanceof Skip)) throw error
      const skipped = { client: "librdkafka's tests", name: "run against our broker", run: () => Promise.reject(error) }
      return perform([skipped])
    }
    const directory = mkdtempSync(path.join(tmpdir(), "millrace-librdkafka-"))
    const clusters: Cluster[] = []
    try {
      const scripts = await kafkaScripts(directory)
      const start = async (name: string, settings: readonly string[], client: readonly string[] = []) => {
        const cluster = await startCluster(path.join(directory, name), scripts, settings, client)
        clusters.push(cluster)
        return cluster
      }
      const ofSasl = ({ number }: RunnerTest) => SASL_TESTS.includes(number)
      const plain = await start("default", [])
      await perform(
        checks(runner, "default", plain, (test) => !ofSasl(test)),
        AT_ONCE,
      )
      const sasl = await start("sasl", SASL, SASL_CLIENT)
      await perform(checks(runner, "default", sasl, ofSasl), AT_ONCE)
      const without = await start("noautocreate", ["auto.create.topics.enable=false"])
      await perform(
        checks(runner, "noautocreate", without, () => true),
        AT_ONCE,
      )
      return ending(runner)
    } finally {
      for (const { broker } of clusters) await broker.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

function ending({ tests }: TestRunner): string {
  const names = (numbers: readonly string[]) =>
    numbers.map((number) => {
      const found = tests.filter((test) => test.number === number && !test.isLocal)
      if (found.length === 0) throw new Error(`there is no test ${number} any longer`)
      return found.map(({ name }) => `\`${name}\``).join(", ")
    })
  return [
    "Each is run as it is, but that some ask for three replicas of their topics, and get one.\n",
    "Left out are tests that the runner itself takes for local, as they talk to no broker or to librdkafka's mock of one,",
    "and:\n",
    ...LEFT_OUT.map((one) => `- ${names(one.tests).join(", ")}: ${one.why}.`),
    `- parts of ${names(Object.keys(PARTS)).join(" and ")} that are about share groups and unsigned tokens.`,
  ].join("\n")
}

function checks(
  runner: TestRunner,
  scenario: string,
  cluster: Cluster,
  isMeant: (test: RunnerTest) => boolean,
): Check[] {
  const leftOut = new Set(LEFT_OUT.flatMap(({ tests }) => tests))
  const numbers = new Map<string, string[]>()
  for (const test of runner.tests) {
    if (test.isLocal || test.isManual || leftOut.has(test.number)) continue
    if (!test.scenarios.includes(scenario) || !isMeant(test)) continue
    numbers.set(test.number, [...(numbers.get(test.number) ?? []), test.name])
  }
  const isLongest = ([number]: readonly [string, unknown]) => Number(number === LONGEST)
  const order = [...numbers].toSorted((one, other) => isLongest(other) - isLongest(one))
  return order.map(([number, names]) => ({
    client: `librdkafka ${runner.version}`,
    name: names.join(", "),
    run: async () => {
      const notes = new Set<string>()
      for (const part of PARTS[number] ?? [undefined]) {
        const env = part === undefined ? cluster.env : { ...cluster.env, SUBTESTS: part }
        notes.add(judge(names, await runner.run(number, scenario, env)))
      }
      return [...notes].join("; ")
    },
  }))
}

function judge(names: readonly string[], reports: readonly TestReport[]): string {
  const parts: string[] = []
  for (const name of names) {
    const report = reports.find((one) => one.name === name)
    // Of the headers of RapidJSON, which some tests are compiled with where they are installed.
    if (report?.state === "SKIPPED" && report.why.includes("RapidJSON"))
      throw new Skip(`${report.why} (Debian: rapidjson-dev)`)
    if (report?.state !== "PASSED") throw new Error(`${name} ${report?.state ?? "did not run"}: ${report?.why ?? ""}`)
    parts.push(...report.parts)
  }
  return parts.length === 0 ? "" : `skips parts of itself: ${[...new Set(parts)].join("; ")}`
}

async function startCluster(
  directory: string,
  scripts: string,
  settings: readonly string[],
  client: readonly string[],
): Promise<Cluster> {
  mkdirSync(directory)
  const broker = new BrokerProcess(path.join(directory, "log"), [...SETTINGS, ...settings])
  await broker.start()
  const config = path.join(directory, "test.conf")
  writeFileSync(config, [`bootstrap.servers=${broker.address}`, "test.timeout.multiplier=2", ...client, ""].join("\n"))
  return {
    broker,
    env: {
      RDKAFKA_TEST_CONF: config,
      BROKERS: broker.address,
      KAFKA_PATH: scripts,
      TEST_KAFKA_VERSION: KAFKA_VERSION,
    },
  }
}

/** What tests take for an installation of Apache Kafka: some of its scripts, over the jars from Maven. */
async function kafkaScripts(directory: string): Promise<string> {
  const root = path.join(directory, "kafka")
  const jars = await kafkaJars("tools")
  mkdirSync(path.join(root, "bin"), { recursive: true })
  symlinkSync(jars, path.join(root, "libs"))
  const java = `exec java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$CLASSPATH:${jars}/*"`
  const script = (name: string, main: string) =>
    writeFileSync(path.join(root, "bin", `${name}.sh`), `#!/bin/sh\n${java} ${main} "$@"\n`, { mode: 0o755 })
  script("kafka-run-class", "")
  script("kafka-topics", "org.apache.kafka.tools.TopicCommand")
  script("kafka-acls", "org.apache.kafka.tools.AclCommand")
  return root
}
