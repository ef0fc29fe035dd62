/**
 * docs/security.md on the real command: a broker with TLS, SCRAM users and rules, and a pipeline that runs on it as on any
 * cluster that is guarded so.
 */
import { writeFileSync } from "node:fs"
import { KafkaClient } from "@millrace/client"
import { Cluster } from "@millrace/client/cluster"
import { resolveOptions } from "@millrace/client/options"
import { nodeHost } from "@millrace/host/node"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { authority, client, server } from "@millrace/testing/certificates"
import { afterAll, beforeAll, expect, it } from "vitest"
import { killServers, millrace, PIPELINES, scratchDirectory, serve, type Serving } from "./support/process.ts"

const scratch = scratchDirectory()
let broker: Serving

const file = (name: string, lines: readonly string[]): string => {
  writeFileSync(`${scratch.path}/${name}`, `${lines.join("\n")}\n`)
  return `${scratch.path}/${name}`
}

const scram = (name: string, password: string): string =>
  file(`${name}.properties`, [
    "security.protocol=SASL_SSL",
    "sasl.mechanism=SCRAM-SHA-512",
    `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="${password}";`,
    `ssl.truststore.location=${scratch.path}/ca.pem`,
  ])

/** Kafka's numbers. */
const [TOPIC, GROUP, TRANSACTIONAL_ID] = [2, 3, 5]
const [LITERAL, PREFIXED] = [3, 4]
const [ALL, READ, WRITE] = [2, 3, 4]
const ALLOW = 3

/** Those of the page: what a pipeline's user must be allowed. The last two are for who feeds it and looks at its results. */
const RULES = [
  [TOPIC, "lines", LITERAL, READ],
  [TOPIC, "word-counts", LITERAL, WRITE],
  [TOPIC, "words-", PREFIXED, ALL],
  [GROUP, "words", LITERAL, READ],
  [TRANSACTIONAL_ID, "words-", PREFIXED, WRITE],
  [TOPIC, "lines", LITERAL, WRITE],
  [TOPIC, "word-counts", LITERAL, READ],
].map(([resourceType, resourceName, resourcePatternType, operation]) => ({
  resourceType: resourceType as number,
  resourceName: resourceName as string,
  resourcePatternType: resourcePatternType as number,
  principal: "User:alice",
  host: "*",
  operation: operation as number,
  permissionType: ALLOW,
}))

beforeAll(async () => {
  file("server.pem", [server.key, server.cert])
  file("ca.pem", [authority])
  const config = file("broker.properties", [
    "listeners=SASL_SSL://127.0.0.1:0",
    `ssl.keystore.location=${scratch.path}/server.pem`,
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512",
    'listener.name.sasl_ssl.plain.sasl.jaas.config=PlainLoginModule required user_admin="change me";',
    "authorizer.class.name=rules",
    "super.users=User:admin",
  ])
  broker = await serve(["broker", "--data", `${scratch.path}/data`, "--config", config])
  const options = {
    host: nodeHost,
    brokers: broker.ready["kafka"]!,
    security: {
      tls: { ca: authority, checksHost: true },
      sasl: { mechanism: "PLAIN", username: "admin", password: "change me" },
    },
  } as const
  await using client = new KafkaClient(options)
  const admin = client.admin()
  await admin.alterScramCredentials([{ user: "alice", mechanism: "SCRAM-SHA-512", password: "secret" }])
  await admin.createTopics(["lines", "word-counts", "secrets"].map((name) => ({ name, partitions: 2 })))
  const cluster = new Cluster(resolveOptions(options))
  const connection = await cluster.any()
  const answer = await connection.request(CreateAcls, { creations: RULES })
  expect(answer.results.map(({ errorCode }) => errorCode)).toEqual(RULES.map(() => 0))
  cluster.close()
})

afterAll(() => {
  killServers()
  scratch.remove()
})

it.each([
  [
    "no TLS",
    [],
    /the broker closed the connection; if it wants TLS or SASL, say so by security\.protocol in a file for --/,
  ],
  [
    "no authority",
    ["security.protocol=SSL"],
    /no authority that is trusted .*; name the authority .* by ssl\.truststore\.location/,
  ],
])("a client with %s is told what to say", async (name, lines, message) => {
  const config = ["--command-config", file(`${name}.properties`, lines)]
  const ended = await millrace(["topic", "list", "--brokers", broker.ready["kafka"]!, ...config])
  expect(ended).toMatchObject({ code: 1, stdout: "" })
  expect(ended.stderr).toMatch(message)
})

it("a pipeline runs on a cluster with TLS and SCRAM", async () => {
  const as = ["--brokers", broker.ready["kafka"]!, "--command-config", scram("alice", "secret")]
  const more = ["--state", `${scratch.path}/state`, "--workers", "2"]
  const running = await serve(["run", `${PIPELINES}/words.ts`, ...as, ...more])
  expect((await millrace(["produce", "lines", ...as], { input: "to be or not to be\n" })).code).toBe(0)
  const { stdout } = await millrace(["consume", "word-counts", "--max", "6", "--keys", ...as])
  const words = stdout.trimEnd().split("\n")
  expect(words.map((line) => line.split("\t")[0]).sort()).toEqual(["be", "be", "not", "or", "to", "to"])
  expect((await running.stop()).code).toBe(0)
})

it.each([
  ["a wrong password", () => scram("mallory", "guess"), /authentication failed|SASL_AUTHENTICATION_FAILED/i],
  ["no TLS", () => file("clear.properties", ["security.protocol=PLAINTEXT"]), /127\.0\.0\.1:\d+/],
])("%s is told in one line", async (_, config, line) => {
  const as = ["--brokers", broker.ready["kafka"]!, "--command-config", config()]
  const ended = await millrace(["run", `${PIPELINES}/words.ts`, ...as, "--state", `${scratch.path}/refused`])
  expect(ended).toMatchObject({ code: 1, stdout: "" })
  expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(ended.stderr).toMatch(line)
})

it.each([
  ["junk.pem", "this is no certificate", / holds no certificate in PEM$/],
  ["key.pem", server.key, / holds no certificate in PEM$/],
  ["others.pem", client.key + server.cert, /: its key does not fit its certificate$/],
])("a broker that is given %s says what is wrong with it in one line", async (name, text, line) => {
  const path = file(name, [text])
  const settings = ["--set", "listeners=SSL://127.0.0.1:0", "--set", `ssl.keystore.location=${path}`]
  const ended = await millrace(["broker", "--data", `${scratch.path}/refused-data`, ...settings])
  expect(ended).toMatchObject({ code: 1, stdout: "" })
  expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(ended.stderr).toContain(`config ssl.keystore.location: ${path}`)
  expect(ended.stderr.trimEnd()).toMatch(line)
})

it.each([
  ["missing.pem", undefined, / cannot read \S+\/missing\.pem: no such file$/],
  ["no-authority.pem", "this is no certificate", / \S+\/no-authority\.pem holds no certificate in PEM$/],
])("a client that is given %s says what is wrong with it in one line", async (name, text, line) => {
  if (text !== undefined) file(name, [text])
  const settings = ["security.protocol=SSL", `ssl.truststore.location=${scratch.path}/${name}`]
  const config = file("client.properties", settings)
  const ended = await millrace(["topic", "list", "--brokers", broker.ready["kafka"]!, "--command-config", config])
  expect(ended).toMatchObject({ code: 1, stdout: "" })
  expect(ended.stderr).toMatch(/^millrace: --command-config \S+: config ssl\.truststore\.location: [^\n]+\n$/)
  expect(ended.stderr.trimEnd()).toMatch(line)
})
