/**
 * Foreign clients and Kafka's own tools over TLS, with SASL and access rules, on a broker of their own.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { authority, server } from "@millrace/testing/certificates"
import { BrokerProcess } from "../torture/broker-process.ts"
import { type Check, pipeThrough } from "./check.ts"
import { kafkaTool } from "./java-tools.ts"
import { version as kcatVersion } from "./kcat.ts"

const JAVA = "Kafka tools 4.3.1 (Java)"
const RECORDS = 10_000

export interface SecureBroker {
  readonly checks: readonly Check[]
  stop(): Promise<void>
}

export async function secureBroker(): Promise<SecureBroker> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-compat-secure-"))
  const file = (name: string, text: string) => {
    const where = path.join(directory, name)
    writeFileSync(where, text)
    return where
  }
  const ca = file("ca.pem", authority.trim())
  const broker = new BrokerProcess(path.join(directory, "log"), [
    "listeners=SASL_SSL://127.0.0.1:0",
    `ssl.keystore.location=${file("server.pem", `${server.key.trim()}\n${server.cert.trim()}\n`)}`,
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    'listener.name.sasl_ssl.plain.sasl.jaas.config=PlainLoginModule required user_admin="admin-secret";',
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:admin",
    "connections.max.reauth.ms=2000",
    "delegation.token.secret.key=what tokens are made with",
    "group.initial.rebalance.delay.ms=0",
  ])
  await broker.start()
  const properties = (mechanism: string, module: string, user: string, password: string) =>
    [
      "security.protocol=SASL_SSL",
      `sasl.mechanism=${mechanism}`,
      `sasl.jaas.config=${module} required username="${user}" password="${password}";`,
      "ssl.truststore.type=PEM",
      `ssl.truststore.location=${ca}`,
      `bootstrap.servers=${broker.address}`,
    ].join("\n")
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
  const plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
  const admin = file("admin.properties", properties("PLAIN", plain, "admin", "admin-secret"))
  const alice = file("alice.properties", properties("SCRAM-SHA-512", scram, "alice", "alice-secret"))
  return {
    checks: [
      ...javaChecks(broker.address, admin, alice),
      tokenCheck(broker.address, admin, ({ tokenId, hmac }) =>
        file(
          "token.properties",
          properties("SCRAM-SHA-256", scram, tokenId, hmac).replace(/;$/m, ' tokenauth="true";'),
        ),
      ),
      kafkajsCheck(broker.address),
      await kcatCheck(broker.address, ca),
    ],
    async stop() {
      await broker.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function javaChecks(brokers: string, admin: string, alice: string): Check[] {
  const check = (name: string, run: () => Promise<string>): Check => ({ client: JAVA, name, run })
  const asAdmin = (main: string, ...args: string[]) =>
    kafkaTool(main, ["--bootstrap-server", brokers, "--command-config", admin, ...args])
  const acls = (...args: string[]) => asAdmin("org.apache.kafka.tools.AclCommand", ...args)
  const produce = (records: number) =>
    kafkaTool("org.apache.kafka.tools.ProducerPerformance", [
      ...["--topic", "secure", "--num-records", String(records), "--record-size", "100", "--throughput", "-1"],
      ...["--command-config", alice],
    ])
  return [
    check("over SASL_SSL: kafka-configs sets SCRAM users", async () => {
      const configs = "kafka.admin.ConfigCommand"
      for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"])
        await asAdmin(
          configs,
          ...["--alter", "--entity-type", "users", "--entity-name", "alice"],
          ...["--add-config", `${mechanism}=[iterations=4096,password=alice-secret]`],
        )
      return "alice, by both mechanisms"
    }),
    check("a user whom no rule allows cannot produce", async () => {
      await asAdmin("org.apache.kafka.tools.TopicCommand", "--create", "--topic", "secure", "--partitions", "2")
      // Each is refused by itself, and the producer takes its time before the next.
      const said = await produce(10).then(
        ({ stdout, stderr }) => stdout + stderr,
        (error: Error) => error.message,
      )
      if (!/TopicAuthorizationException|ClusterAuthorizationException/.test(said)) throw new Error(said)
      return "refused with an authorization exception"
    }),
    check("kafka-acls adds, lists and removes rules", async () => {
      await acls(
        "--add",
        "--allow-principal",
        "User:alice",
        "--operation",
        "All",
        "--topic",
        "sec",
        "--resource-pattern-type",
        "prefixed",
      )
      await acls("--add", "--allow-principal", "User:alice", "--operation", "All", "--group", "*")
      await acls("--add", "--deny-principal", "User:bob", "--operation", "Read", "--topic", "secure")
      const { stdout } = await acls("--list")
      if (!/patternType=PREFIXED[\s\S]*User:alice/.test(stdout) || !/User:bob[\s\S]*DENY/.test(stdout))
        throw new Error(stdout)
      await acls("--remove", "--force", "--topic", "secure")
      if (/User:bob/.test((await acls("--list")).stdout)) throw new Error("the removed rule is listed")
      return "prefixed, wildcard and denying rules"
    }),
    check(`over SASL_SSL with SCRAM-SHA-512: produces ${RECORDS} records, re-authenticating`, async () => {
      const { stdout } = await produce(RECORDS)
      const last = stdout.trim().split("\n").at(-1)!
      if (!last.startsWith(`${RECORDS} records sent`)) throw new Error(stdout)
      return /([\d.]+) records\/sec/.exec(last)![0]
    }),
  ]
}

interface Token {
  readonly tokenId: string
  readonly hmac: string
}

/** The administrator's, made, prolonged, used and ended with Kafka's tool; `propertiesOf` answers the file of a client that has it. */
function tokenCheck(brokers: string, admin: string, propertiesOf: (token: Token) => string): Check {
  const tool = async (...args: string[]) => {
    const main = "org.apache.kafka.tools.DelegationTokenCommand"
    return (await kafkaTool(main, ["--bootstrap-server", brokers, "--command-config", admin, ...args])).stdout
  }
  return {
    client: JAVA,
    name: "kafka-delegation-tokens makes, renews and ends a token; a producer logs in with it",
    async run() {
      const made = await tool("--create", "--max-life-time-period", "-1", "--renewer-principal", "User:bob")
      const [, tokenId, hmac] = /^(\S{22})\s+(\S{88})\s/m.exec(made) ?? []
      if (tokenId === undefined || hmac === undefined) throw new Error(made)
      await tool("--renew", "--renew-time-period", "3600000", "--hmac", hmac)
      if (!(await tool("--describe", "--owner-principal", "User:admin")).includes(tokenId))
        throw new Error("the token is not described")
      const { stdout } = await kafkaTool("org.apache.kafka.tools.ProducerPerformance", [
        ...["--topic", "by-token", "--num-records", "1000", "--record-size", "100", "--throughput", "-1"],
        ...["--command-config", propertiesOf({ tokenId, hmac })],
      ])
      if (!stdout.includes("1000 records sent")) throw new Error(stdout)
      await tool("--expire", "--expiry-time-period", "-1", "--hmac", hmac)
      if ((await tool("--describe", "--owner-principal", "User:admin")).includes(tokenId))
        throw new Error("the token is described after its end")
      return "1000 records by its owner"
    },
  }
}

function kafkajsCheck(brokers: string): Check {
  return {
    client: "kafkajs 2.2.4",
    name: "over SASL_SSL with SCRAM-SHA-256: produces and consumes in a group",
    async run() {
      const { Kafka, logLevel } = createRequire(import.meta.url)("kafkajs") as {
        Kafka: new (options: object) => any
        logLevel: { NOTHING: number }
      }
      const kafka = new Kafka({
        clientId: "secure",
        brokers: [brokers],
        logLevel: logLevel.NOTHING,
        ssl: { ca: [authority] },
        sasl: { mechanism: "scram-sha-256", username: "alice", password: "alice-secret" },
      })
      const producer = kafka.producer()
      await producer.connect()
      await producer.send({ topic: "secure", messages: [{ key: "js", value: "hello" }] })
      await producer.disconnect()
      const consumer = kafka.consumer({ groupId: "js" })
      await consumer.connect()
      await consumer.subscribe({ topics: ["secure"], fromBeginning: true })
      const seen = new Promise<void>((resolve) => {
        void consumer.run({
          eachMessage: async ({ message }: { message: { key: Buffer | null } }) => {
            if (message.key?.toString() === "js") resolve()
          },
        })
      })
      await seen
      await consumer.disconnect()
      return "its record came back"
    },
  }
}

async function kcatCheck(brokers: string, ca: string): Promise<Check> {
  return {
    client: await kcatVersion(),
    name: "over SASL_SSL with SCRAM-SHA-256: produces and consumes",
    async run() {
      const secure = [
        ...["-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=SCRAM-SHA-256", "-X", `ssl.ca.location=${ca}`],
        ...["-X", "sasl.username=alice", "-X", "sasl.password=alice-secret"],
      ]
      const input = Buffer.from(Array.from({ length: RECORDS }, (_, index) => `kcat ${index}\n`).join(""))
      const topic = ["-t", "secure", "-p", "0"]
      await pipeThrough("kcat", ["-b", brokers, "-P", ...topic, ...secure], input)
      const output = await pipeThrough("kcat", ["-b", brokers, "-C", ...topic, "-e", "-q", ...secure], undefined)
      const ours = output
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("kcat "))
      if (`${ours.join("\n")}\n` !== input.toString()) throw new Error(`${ours.length} of ${RECORDS} records came back`)
      return `${RECORDS} records, identical`
    },
  }
}
