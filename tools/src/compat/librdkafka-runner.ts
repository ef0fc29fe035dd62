/**
 * librdkafka's own test runner, built once from the sources that its package for Node brings.
 */
import { execFile, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { readdir, rename, rm } from "node:fs/promises"
import * as path from "node:path"
import { promisify } from "node:util"
import { cached } from "../cache.ts"
import { kafkaJars, NoKafka } from "../kafka-jars.ts"
import { confluentKafka } from "../npm-cache.ts"
import { Skip } from "./check.ts"

const run = promisify(execFile)

/** Tests set limits themselves; this one ends what hangs all the same. */
const LIMIT_MS = 900_000
const CONFIGURE = ["--disable-gssapi", "--disable-curl"]
/** What is changed of the tests before they are compiled; a build is kept for as long as that is the same. */
const CHANGES: readonly { readonly files: readonly string[]; readonly from: RegExp; readonly to: string }[] = [
  {
    // They ask for three replicas of their topics, and for nothing else that three brokers have: they get one.
    files: [
      ...["0098-consumer-txn.cpp", "0103-transactions.c", "0107-topic_recreate.c", "0111-delay_create_topics.cpp"],
      ...["0135-sasl_credentials.cpp", "0142-reauthentication.c"],
    ],
    from: /(create_topic(?:_wait_exists)?\([^;]*), 3((?:, 5000)?\);)/g,
    to: "$1, 1$2",
  },
]

export interface TestRunner {
  /** Of librdkafka. */
  readonly version: string
  readonly tests: readonly RunnerTest[]
  /** Runs the functions of a number that need a broker; throws when the runner ends without telling of a failure. */
  run(number: string, scenario: string, env: Readonly<Record<string, string>>): Promise<TestReport[]>
}

/** One function of the runner's table. Those of one number run together. */
export interface RunnerTest {
  readonly name: string
  readonly number: string
  /** `default` or `noautocreate`: what the cluster is set to. */
  readonly scenarios: readonly string[]
  /** Runs without a broker, or with librdkafka's own mock of one. */
  readonly isLocal: boolean
  /** Is not run unless it is asked for by hand. */
  readonly isManual: boolean
}

export interface TestReport {
  readonly name: string
  readonly state: "PASSED" | "FAILED" | "SKIPPED" | "RUNNING"
  readonly why: string
  /** Why parts of it skipped themselves. */
  readonly parts: readonly string[]
}

/** Throws `Skip` where it cannot be built. */
export async function testRunner(): Promise<TestRunner> {
  const jars = await kafkaJars("tools").catch((error: unknown) => {
    throw error instanceof NoKafka ? new Skip(error.message) : error
  })
  const changes = JSON.stringify(CHANGES.map(({ files, from, to }) => [files, from.source, to]))
  const changesId = createHash("sha256").update(changes).digest("hex").slice(0, 8)
  const directory = await cached(`librdkafka-tests-${confluentKafka.version}-${changesId}`, (staging) =>
    build(staging, jars),
  )
  const file = (name: string) => readFileSync(path.join(directory, name), "utf8")
  return {
    version: /librdkafka v(\S+)/.exec(file("CHANGELOG.md"))![1]!,
    tests: testsOf(file("tests/test.c")),
    run: (number, scenario, env) => runTests(path.join(directory, "tests"), number, scenario, env),
  }
}

async function build(directory: string, jars: string): Promise<void> {
  const { name, version } = confluentKafka
  const sources = path.join(directory, "package", "deps", "librdkafka")
  try {
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", directory, `${name}@${version}`])
    await run("tar", ["xzf", path.join(directory, stdout.trim()), "-C", directory])
    for (const { files, from, to } of CHANGES)
      for (const name of files) change(path.join(sources, "tests", name), from, to)
    const make = (...args: string[]) => run("make", args, { cwd: sources, maxBuffer: 1 << 26 })
    await run("./configure", CONFIGURE, { cwd: sources, maxBuffer: 1 << 24 })
    await make("-j2", "libs")
    await make("-j2", "-C", "tests", "test-runner", "interceptor_test")
    await make("-C", path.join("tests", "java"), `KAFKA_JARS=${jars}`)
  } catch (error) {
    const { message, stderr = "" } = error as Error & { stderr?: string }
    throw new Skip(`librdkafka's tests do not build: ${(stderr || message).trim().split("\n").slice(-1)[0]}`)
  }
  // With its Makefiles: some tests compile the Java that they run.
  for (const entry of await readdir(sources)) await rename(path.join(sources, entry), path.join(directory, entry))
  await rm(path.join(directory, "package"), { recursive: true })
}

function change(file: string, from: RegExp, to: string): void {
  const source = readFileSync(file, "utf8")
  const changed = source.replaceAll(from, to)
  if (changed === source) throw new Error(`${file} has nothing like ${from} any longer`)
  writeFileSync(file, changed)
}

/** The table of test.c: `_TEST(0045_subscribe_update, FLAGS, ..., .scenario = "noautocreate")`. */
export function testsOf(source: string): RunnerTest[] {
  const table = source.slice(source.indexOf("struct test tests[]"))
  const entries = table.slice(0, table.indexOf("{NULL}")).split("_TEST(").slice(1)
  return entries.map((entry) => {
    const [, name, flags] = /^(\w+),\s*([^,)]*)/.exec(entry)!
    return {
      name: name!,
      number: name!.split("_")[0]!,
      scenarios: (/\.scenario\s*=\s*"([^"]*)"/.exec(entry)?.[1] ?? "default").split(","),
      isLocal: flags!.includes("TEST_F_LOCAL"),
      isManual: flags!.includes("TEST_F_MANUAL"),
    }
  })
}

async function runTests(
  directory: string,
  number: string,
  scenario: string,
  env: Readonly<Record<string, string>>,
): Promise<TestReport[]> {
  // It goes easier on itself where it sees CI: the same run everywhere.
  const { CI: _, ...ours } = process.env
  const child = spawn("./test-runner", ["-p1", "-L", "-s", scenario], {
    cwd: directory,
    env: { ...ours, LD_LIBRARY_PATH: "../src:../src-cpp", TESTS: number, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  })
  let said = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (status, signal) => resolve(status ?? signal!))
  })
  const lines = said.replaceAll(/\x1b\[[0-9;]*m/g, "").split("\n") // eslint-disable-line no-control-regex
  const reports = lines.flatMap((line) => {
    const [, name, state, why] = /^\| (\d\w+) +\| +(\w+) \| +[\d.]+s \|(.*)/.exec(line) ?? []
    if (name === undefined) return []
    const parts = lines.flatMap((said) => new RegExp(`^\\[${name} .*: SKIP: (.*?)[ \\]]*$`).exec(said)?.[1] ?? [])
    return [{ name, state: state as TestReport["state"], why: why!.trim(), parts }]
  })
  if (code === 0) {
    const part = env["SUBTESTS"]
    if (part !== undefined && !lines.some((line) => line.includes(`[ ${part}`) && line.includes(": PASS (")))
      throw new Error(`${number} has no part ${part}`)
    return reports
  }
  // It tells where and why a test failed, and may then end before its summary.
  const at = lines.findIndex((line) => line.startsWith("### Test"))
  throw new Error(at === -1 ? `it ended with ${code}: ${lines.slice(-20).join("\n")}` : reason(lines.slice(at)))
}

function reason([where, why, ...following]: readonly string[]): string {
  const [, part = "", place] = /^### Test "\w+(?: \((.*)\))?" failed at (\S+):\w+\(\)/.exec(where!) ?? []
  return [`${place}: ${why}${part === "" ? "" : ` (${part})`}`, ...following.slice(0, 20)].join("\n")
}
