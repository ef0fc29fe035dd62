/**
 * Bad input gets one line on stderr that names the thing and, where there is one, the fix; exit code 2 for wrong
 * arguments, 1 for the rest.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { killServers, millrace, PIPELINES, scratchDirectory, serve, type Serving } from "./support/process.ts"

type Case = readonly [name: string, code: number, args: string, line: RegExp, input?: string | undefined]

const scratch = scratchDirectory()
let broker: Serving

beforeAll(async () => {
  broker = await serve(["broker", "--data", `${scratch.path}/data`, "--listen", "127.0.0.1:0"])
  // Of a cluster that is there already.
  await (await serve(["broker", "--data", `${scratch.path}/known`, "--listen", "127.0.0.1:0"])).stop()
  writeFileSync(`${scratch.path}/file`, "")
  mkdirSync(`${scratch.path}/directory`)
  writeFileSync(`${scratch.path}/bad.properties`, "log.segment.byte=1\n")
  writeFileSync(`${scratch.path}/worker.properties`, "offset.storage.topc=x\n")
  writeFileSync(
    `${scratch.path}/client.properties`,
    "bootstrap.servers=x:1\nclient.id=x\nssl.keystore.password=x\nssl.truststor.location=ca.pem\n",
  )
  writeFileSync(`${scratch.path}/twice.properties`, "node.id=1\n\nnode.id=2\n")
  writeFileSync(`${scratch.path}/tls.properties`, "listeners=SSL://127.0.0.1:0\nssl.keystore.location=server.pem\n")
  writeFileSync(`${scratch.path}/unparsable.ts`, "export default = 1\n")
  await (await serve(["broker", "--data", `${scratch.path}/stopped`, "--listen", "127.0.0.1:0"])).stop()
  const created = await millrace(["topic", "create", "there", "--partitions", "2", "--brokers", broker.ready["kafka"]!])
  expect(created).toMatchObject({ code: 0, stdout: "created there\n", stderr: "" })
})

afterAll(() => {
  killServers()
  scratch.remove()
})

/** BROKER, DIR and PIPELINES in the arguments stand for the running broker, the scratch directory and our modules. */
async function check([, code, args, line, input]: Case): Promise<void> {
  const words = args
    .split(" ")
    .map((word) =>
      word.replace("BROKER", broker.ready["kafka"]!).replace("DIR", scratch.path).replace("PIPELINES", PIPELINES),
    )
  const ended = await millrace(words, input === undefined ? {} : { input })
  expect(ended.stderr).toMatch(line)
  expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(ended).toMatchObject({ code, stdout: "" })
}

it.each([
  ["a wrong setting", 2, ["--set", "node.id=x"], /node\.id/],
  ["no cluster's directory", 1, ["--data", "directory-of-others"], /directory-of-others/],
])("a server that logs as JSON tells its end so too: %s", async (_, code, given, line) => {
  mkdirSync(`${scratch.path}/directory-of-others`, { recursive: true })
  writeFileSync(`${scratch.path}/directory-of-others/file`, "")
  const data = ["--data", `${scratch.path}/json`]
  const args = given[0] === "--data" ? ["--data", `${scratch.path}/${given[1]}`] : [...data, ...given]
  const ended = await millrace(["broker", "--log", "json", "--listen", "127.0.0.1:0", ...args])
  expect(ended).toMatchObject({ code, stdout: "" })
  expect(JSON.parse(ended.stderr)).toEqual({
    ...{ time: expect.any(String), part: "process", level: "error", event: "process-failed" },
    message: expect.stringMatching(line),
  })
})

const APART =
  /^millrace: up: the registry and the worker .*: run `millrace broker`, `registry` and `connect` apart, the latter with --command-config/

describe("arguments", () => {
  const cases: readonly Case[] = [
    ["an unknown command", 2, "brokr", /unknown command brokr; did you mean broker\?; see: millrace --help/],
    ["an unknown option instead of a command", 2, "--verbose", /unknown option --verbose/],
    [
      "a group without its command",
      2,
      "topic",
      /topic needs one of list, create, alter, describe, delete; see: millrace topic --help/,
    ],
    ["an unknown command of a group", 2, "topic lst", /not lst; did you mean list\?/],
    [
      "an unknown option",
      2,
      "broker --dta x",
      /unknown option --dta; did you mean --data\?; see: millrace broker --help/,
    ],
    ["a missing option", 2, "broker", /millrace broker needs --data DIR/],
    ["an address that is none", 2, "broker --data DIR/x --listen 9092", /--listen 9092: expected HOST:PORT/],
    [
      "an option by the name it has in Kafka's tools",
      2,
      "topic list --bootstrap-server x:1",
      /did you mean --brokers\?/,
    ],
    [
      "a setting twice",
      2,
      "broker --data DIR/x --set node.id=1 --set node.id=2",
      /--set node\.id=2: node\.id is 1 already/,
    ],
    [
      "two ways to say where to listen",
      2,
      "broker --data DIR/x --listen 127.0.0.1:0 --config DIR/tls.properties",
      /--listen 127\.0\.0\.1:0: the settings say it too, listeners=SSL:\/\/127\.0\.0\.1:0; choose one/,
    ],
    [
      "a setting by its words in another order",
      2,
      "broker --data DIR/x --set max.message.bytes=5",
      /unknown config max\.message\.bytes; did you mean message\.max\.bytes\?/,
    ],
    [
      "suites by names that this TLS does not know",
      2,
      "broker --data DIR/x --set ssl.cipher.suites=TLS_AES_128_GCM_SHA256",
      /config ssl\.cipher\.suites: .*cannot be chosen; ssl\.enabled\.protocols=TLSv1\.3/,
    ],
    ["parts that cannot speak to their broker, by TLS", 2, "up --data DIR/x --config DIR/tls.properties", APART],
    [
      "parts that cannot speak to their broker, by rules",
      2,
      "up --data DIR/x --set authorizer.class.name=rules",
      APART,
    ],
    ["brokers that are none", 2, "topic list --brokers x", /--brokers x: expected HOST:PORT/],
    ["a setting without value", 2, "broker --data DIR/x --set a", /--set a: expected key=value/],
    [
      "an unknown setting of a broker",
      2,
      "broker --data DIR/x --set log.segment.byte=1",
      /unknown config log\.segment\.byte; did you mean log\.segment\.bytes\?/,
    ],
    [
      "a wrong value",
      2,
      "broker --data DIR/x --set log.segment.bytes=many",
      /config log\.segment\.bytes: "many" must be a whole number, at least 1048576/,
    ],
    [
      "an unknown setting of a registry",
      2,
      "registry --brokers BROKER --set kafkastore.topics=x",
      /unknown config kafkastore\.topics; did you mean kafkastore\.topic\?/,
    ],
    [
      "an unknown setting of a connect worker",
      2,
      "connect --brokers BROKER --set offset.storage.topc=x",
      /unknown config offset\.storage\.topc; did you mean offset\.storage\.topic\?/,
    ],
    [
      "an unknown setting of a run",
      2,
      "run PIPELINES/words.ts --set commit.interval=1",
      /unknown config commit\.interval; did you mean commit\.interval\.ms\?/,
    ],
    [
      "a client tag that is none",
      2,
      "run PIPELINES/words.ts --brokers BROKER --set client.tags=zone",
      /config client\.tags: "zone" must be name=value/,
    ],
    ["a count that is none", 2, "topic create x --partitions 0", /--partitions 0: expected a whole number, at least 1/],
    [
      "an unknown format",
      2,
      "describe PIPELINES/words.ts --format svg",
      /--format svg: expected one of text, mermaid, json/,
    ],
    ["an unknown compression", 2, "produce there --compression rar", /--compression rar: expected one of none, gzip/],
    ["a time that is none", 2, "produce there --timestamp soon", /--timestamp soon: expected milliseconds since 1970/],
    ["a header without value", 2, "produce there --header a", /--header a: expected NAME=VALUE/],
    ["two ways to say the key", 2, "produce there --key a --key-separator :", /--key-separator finds it.*choose one/],
    ["JSON and a key", 2, "produce there --json --key a", /--json says of each record what --key would/],
    ["a place that is none", 2, "consume there --from here", /--from here: expected beginning, end or an offset/],
    ["a partition within a group", 2, "consume there --group g --partition 1", /leave --partition and the offset out/],
  ]
  for (const one of cases) it(one[0], () => check(one))
})

describe("files and addresses", () => {
  const cases: readonly Case[] = [
    ["a config file that is missing", 1, "broker --data DIR/x --config DIR/none", /cannot read .*\/none: no such file/],
    ["a config file that is a directory", 1, "broker --data DIR/x --config DIR/directory", /it is a directory/],
    [
      "an unknown setting in a config file",
      1,
      "broker --data DIR/x --config DIR/bad.properties",
      /bad\.properties, line 1: unknown config log\.segment\.byte; did you mean log\.segment\.bytes\?/,
    ],
    [
      "a setting that is twice in a config file",
      1,
      "broker --data DIR/x --config DIR/twice.properties",
      /twice\.properties, line 3: node\.id is set on line 1 already/,
    ],
    [
      "a directory of another node",
      1,
      "broker --data DIR/stopped --set node.id=3",
      /belongs to node 1, not to node 3: set node\.id=1/,
    ],
    [
      "an unknown setting in a worker's config file",
      1,
      "connect --brokers BROKER --config DIR/worker.properties",
      /worker\.properties, line 1: unknown config offset\.storage\.topc; did you mean offset\.storage\.topic\?/,
    ],
    [
      "a data directory of something else",
      1,
      "broker --data DIR --listen 127.0.0.1:0",
      /data directory \S+ has no meta\.properties but other files \([^)]*\): is it the right one/,
    ],
    ["a data directory that is a file", 1, "broker --data DIR/file --listen 127.0.0.1:0", /file.*not a directory/],
    [
      "a data directory in use",
      1,
      "broker --data DIR/data --listen 127.0.0.1:0",
      /data directory .*\/data is in use by process \d+: stop it or choose another directory/,
    ],
    [
      "a port in use, broker",
      1,
      "broker --data DIR/known --listen BROKER",
      /cannot listen on .*in use; choose another address with --listen/,
    ],
    [
      "a port in use, registry",
      1,
      "registry --brokers BROKER --listen BROKER",
      /in use; choose another address with --listen/,
    ],
    [
      "a port in use, connect",
      1,
      "connect --brokers BROKER --listen BROKER",
      /in use; choose another address with --listen/,
    ],
    ["a pipeline file that is missing", 1, "run DIR/none.ts --brokers BROKER", /cannot read .*none\.ts: no such file/],
    [
      "a module without pipeline",
      1,
      "run PIPELINES/none.ts --brokers BROKER",
      /none\.ts exports no pipeline: export one with/,
    ],
    [
      "a module that does not parse",
      1,
      "describe DIR/unparsable.ts",
      /cannot load .*unparsable\.ts, line 1: SyntaxError/,
    ],
    ["a module that throws", 1, "describe PIPELINES/throws.ts", /throws\.ts, line 2: no database here/],
    [
      "a source topic that is missing",
      1,
      "run PIPELINES/words.ts --brokers BROKER --state DIR/words",
      /pipeline "words": topic "lines" does not exist: create it first, or run it with createTopics \(--create-topics N\)/,
    ],
    [
      "an operator's name twice",
      1,
      "run PIPELINES/duplicate.ts --brokers BROKER",
      /duplicate\.ts.*operator "lines".*own name/,
    ],
    ["an operator without name", 1, "describe PIPELINES/nameless.ts", /nameless\.ts.*operator name "": use letters/],
    [
      "a schema that Avro cannot say",
      1,
      "describe PIPELINES/unsupported-schema.ts",
      /unsupported-schema\.ts.*line 7: UnsupportedSchema: anything: Avro has no type for Unknown/,
    ],
  ]
  for (const one of cases) it(one[0], () => check(one))

  it("leaves the broker whose directory and port were wanted alone", async () => {
    const list = await millrace(["topic", "list", "--json", "--brokers", broker.ready["kafka"]!])
    expect(JSON.parse(list.stdout)).toContainEqual(expect.objectContaining({ name: "there", partitions: 2 }))
  })
})

describe("topics, groups and records", () => {
  const cases: readonly Case[] = [
    ["a topic that exists", 1, "topic create there", /TOPIC_ALREADY_EXISTS.*'there' already exists/],
    ["a topic name that is none", 1, "topic create a/b", /INVALID_TOPIC_EXCEPTION.*letters, digits.*"a\/b"/],
    ["more replicas than brokers", 1, "topic create x --replicas 3", /INVALID_REPLICATION_FACTOR.*there are 1/],
    [
      "an unknown topic setting",
      1,
      "topic create x --set retention.mss=1",
      /INVALID_CONFIG.*Did you mean retention\.ms\?/,
    ],
    ["a wrong topic setting", 1, "topic create x --set retention.ms=long", /INVALID_CONFIG.*retention\.ms: "long"/],
    ["describing no topic", 1, "topic describe none", /there is no topic none; see: millrace topic list/],
    [
      "altering no topic",
      1,
      "topic alter none --set retention.ms=1",
      /there is no topic none; see: millrace topic list/,
    ],
    ["altering nothing", 2, "topic alter there", /nothing to change: say --set, --unset or --partitions/],
    ["setting and unsetting", 2, "topic alter there --set a=1 --unset a", /--set a=1 and --unset a: choose one/],
    ["a wrong setting", 1, "topic alter there --set retention.ms=long", /INVALID_CONFIG.*retention\.ms: "long"/],
    ["fewer partitions", 1, "topic alter there --partitions 1", /INVALID_PARTITIONS.*there.*2/],
    ["deleting no topic", 1, "topic delete none", /there is no topic none/],
    ["describing no group", 1, "group describe none", /there is no group none; see: millrace group list/],
    ["deleting no group", 1, "group delete none", /there is no group none/],
    ["reading no topic", 1, "consume none", /there is no topic none/],
    ["reading no partition", 1, "consume there --partition 2", /there has partitions 0 to 1, not 2/],
    ["reading no offset", 1, "consume there --partition 0 --from 9", /there-0 goes from offset 0 to 0, 9 is outside/],
    [
      "reading beyond all ends",
      1,
      "consume there --from 99",
      /offset 99 is beyond the end of all partitions of there: the longest/,
    ],
    ["listing no user", 1, "user list nobody", /there is no user nobody/],
    [
      "too much hashing",
      2,
      "user set x --iterations 99999",
      /--iterations 99999: expected a whole number from 4096 to 16384/,
      "p\n",
    ],
    [
      "a slip in the command's configuration",
      1,
      "topic list --command-config DIR/client.properties",
      /client\.properties: unknown config ssl\.truststor\.location; did you mean ssl\.truststore\.location\?/,
    ],
    [
      "one line of three too large",
      1,
      "produce there --partition 0",
      /cannot write line 2 to there: .*MESSAGE_TOO_LARGE.*; [12] of the 3 lines read are written$/m,
      `a\n${"x".repeat(2_000_000)}\nb\n`,
    ],
    ["writing to no partition", 1, "produce there --partition 2", /there has partitions 0 to 1, not 2/, "x\n"],
    [
      "a line without key",
      1,
      "produce there --key-separator :",
      /line 2 has no key separator ":": b; the lines before it are written/,
      "a:1\nb\n",
    ],
    [
      "a line that is no JSON",
      1,
      "produce there --json",
      /line 2 is no JSON: .*: hello; the lines before it are written/,
      '{"value":"a"}\nhello\n',
    ],
    ["a line that is no record", 1, "produce there --json", /line 1 is no JSON object, such as \{"key"/, "[1]\n"],
    ["a record without value", 1, "produce there --json", /line 1 has no value; a tombstone has null/, '{"key":"a"}\n'],
    [
      "a misspelt field of a record",
      1,
      "produce there --json",
      /line 1 has a field "timestmp"; did you mean timestamp\?/,
      '{"value":"a","timestmp":1}\n',
    ],
    [
      "a record's time that is none",
      1,
      "produce there --json",
      /line 1 has no time: "soon"; expected milliseconds since 1970, or a date/,
      '{"value":"a","timestamp":"soon"}\n',
    ],
    ["a record too large", 1, "produce there", /MESSAGE_TOO_LARGE.*max\.message\.bytes/, "x".repeat(2_000_000)],
  ]
  for (const [name, code, args, line, input] of cases) {
    it(name, () => check([name, code, `${args} --brokers BROKER`, line, input]))
  }
})

const oldNode = ["/usr/bin/node", "/usr/local/bin/node"].find(
  (file) => existsSync(file) && /^v(1\d|20)\./.test(spawnSync(file, ["--version"], { encoding: "utf8" }).stdout),
)

it.skipIf(oldNode === undefined)("an old Node is told which one is needed", () => {
  const bin = path.resolve(import.meta.dirname, "../bin/millrace.mjs")
  const ended = spawnSync(oldNode!, [bin, "topic", "list"], { encoding: "utf8" })
  expect(ended).toMatchObject({ status: 1, stdout: "" })
  expect(ended.stderr).toMatch(
    /^millrace needs Node >= 22\.19, this is [\d.]+\. In the repository use: .*topic list\n$/,
  )
})
