/**
 * Kafka's tools of its operators, and the programs by which it tests compatibility and compaction.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient, OffsetSpec } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import type { Check } from "./check.ts"
import { kafkaTool } from "./java-tools.ts"

const TOOLS = "org.apache.kafka.tools"
const SUPPORTED = [
  ...["--offsets-for-times-supported", "--cluster-id-supported", "--create-topics-supported"],
  ...["--describe-acls-supported", "--describe-configs-supported", "--idempotent-producer-supported"],
]
const COMPACTED = { messages: 200_000, duplicates: 40, sleepSeconds: 15 }
const TOPIC = "operations"

/** The settings of the broker's that make it compact while LogCompactionTester waits. */
export const compactionSettings = [
  "log.initial.task.delay.ms=0",
  "log.segment.bytes=1048576",
  "log.cleaner.backoff.ms=500",
  "log.cleaner.min.cleanable.ratio=0.01",
]

export function operationChecks(brokers: string, client: string): Check[] {
  const check = (name: string, run: () => Promise<string>): Check => ({ client, name, run })
  const tool = async (name: string, ...args: string[]) =>
    (await kafkaTool(`${TOOLS}.${name}`, ["--bootstrap-server", brokers, ...args])).stdout
  return [
    check("ClientCompatibilityTest finds each feature it asks for", async () => {
      await tool("TopicCommand", "--create", "--topic", "client-compatibility", "--partitions", "1")
      const asks = [
        ...["--topic", "client-compatibility", "--num-cluster-nodes", "1"],
        ...["--expect-record-too-large-exception", "false"],
        ...SUPPORTED.flatMap((flag) => [flag, "true"]),
      ]
      expectMatch(await tool("ClientCompatibilityTest", ...asks), /^SUCCESS\.$/m)
      return "all supported"
    }),
    check("LogCompactionTester finds the last value of each key in compacted topics", async () => {
      const said = await tool(
        "LogCompactionTester",
        ...["--messages", String(COMPACTED.messages), "--duplicates", String(COMPACTED.duplicates)],
        ...["--percent-deletes", "10", "--topics", "2", "--sleep", String(COMPACTED.sleepSeconds)],
      )
      const reduction = Number(expectMatch(said, /\(([\d.]+)% reduction\)/)[1])
      if (!(reduction > 0)) throw new Error(`nothing was compacted: ${said}`)
      return `${expectMatch(said, /Validated \d+ values, 0 mismatches/)[0]}; ${reduction.toFixed(1)}% reduction`
    }),
    check("kafka-transactions lists, describes and aborts", () => transactions(brokers, tool)),
    check("kafka-leader-election finds every partition led by who should lead it", async () => {
      await tool("TopicCommand", "--create", "--topic", `${TOPIC}-led`, "--partitions", "2")
      const all = ["--election-type", "preferred"]
      await tool("LeaderElectionCommand", ...all, "--all-topic-partitions")
      const said = await tool("LeaderElectionCommand", ...all, "--topic", `${TOPIC}-led`, "--partition", "1")
      expectMatch(said, /Valid replica already elected for partitions .*operations-led-1/)
      return "nothing to do"
    }),
    check("kafka-reassign-partitions proposes, carries out and verifies", async () => {
      const topic = `${TOPIC}-moved`
      await tool("TopicCommand", "--create", "--topic", topic, "--partitions", "2")
      const topics = JSON.stringify({ version: 1, topics: [{ topic }] })
      let proposed = ""
      await withFile(topics, async (file) => {
        const args = ["--generate", "--topics-to-move-json-file", file, "--broker-list", "1"]
        proposed = await tool("reassign.ReassignPartitionsCommand", ...args)
      })
      const assignment = proposed.trim().split("\n").at(-1)!
      await withFile(assignment, async (file) => {
        const args = ["--reassignment-json-file", file]
        const executed = await tool("reassign.ReassignPartitionsCommand", "--execute", ...args)
        expectMatch(executed, /Successfully started partition reassignment/)
        const verified = await tool("reassign.ReassignPartitionsCommand", "--verify", ...args)
        expectMatch(verified, /Reassignment of partition operations-moved-0 is completed/)
      })
      return "to where they are"
    }),
    check("kafka-features describes", async () => {
      const said = await tool("FeatureCommand", "describe")
      for (const feature of ["metadata.version", "transaction.version", "group.version", "streams.version"])
        expectMatch(said, new RegExp(`Feature: ${feature}\\s.*FinalizedVersionLevel: [1-9]`))
      return "metadata, transaction, group and streams versions"
    }),
    check("kafka-features downgrades and upgrades", async () => {
      const features = (command: string, level: number) =>
        tool("FeatureCommand", command, "--feature", `transaction.version=${level}`)
      expectMatch(await features("downgrade", 1), /transaction.version was downgraded to 1/)
      expectMatch(await features("upgrade", 2), /transaction.version was upgraded to 2/)
      return "transaction.version"
    }),
    check("kafka-delete-records, then kafka-log-dirs tells the sizes", async () => {
      const kafka = new KafkaClient({ host: nodeHost, brokers, clientId: "compat" })
      try {
        const topic = `${TOPIC}-records`
        await kafka.admin().createTopics([{ name: topic, partitions: 1, replicationFactor: -1 }])
        await writeTo(kafka, topic, 100)
        await withFile(JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 60 }] }), (file) =>
          tool("DeleteRecordsCommand", "--offset-json-file", file),
        )
        const [start] = await kafka.admin().listOffsets([{ topic, partition: 0, timestamp: OffsetSpec.earliest }])
        if (start!.offset !== 60) throw new Error(`the log starts at ${start!.offset}`)
        const said = await tool("LogDirsCommand", "--describe", "--topic-list", topic)
        const found = JSON.parse(said.split("\n").find((line) => line.startsWith("{"))!) as LogDirs
        const sizes = found.brokers[0]!.logDirs.flatMap(({ partitions }) => partitions)
        if (sizes.length !== 1 || !(sizes[0]!.size > 0)) throw new Error(said)
        return `the log starts at 60 and has ${sizes[0]!.size} bytes`
      } finally {
        await kafka.close()
      }
    }),
  ]
}

interface LogDirs {
  readonly brokers: readonly {
    readonly logDirs: readonly { readonly partitions: readonly { readonly size: number }[] }[]
  }[]
}

type Tool = (name: string, ...args: string[]) => Promise<string>

/** Two transactions that stay open: one is aborted by its partition, as hanging ones are, the other by its id. */
async function transactions(brokers: string, tool: Tool): Promise<string> {
  const kafka = new KafkaClient({ host: nodeHost, brokers, clientId: "compat" })
  try {
    const topic = `${TOPIC}-transactions`
    await kafka.admin().createTopics([{ name: topic, partitions: 2, replicationFactor: -1 }])
    for (const partition of [0, 1]) {
      const producer = kafka.producer({ transactionalId: `open-${partition}`, lingerMs: 0 })
      await producer.initTransactions()
      producer.beginTransaction()
      await producer.send({ topic, partition, value: new TextEncoder().encode("open") })
    }
    const state = async (id: string) => (await tool("TransactionsCommand", "describe", "--transactional-id", id)).trim()
    expectMatch(await tool("TransactionsCommand", "list"), /open-0\s+\d+\s+\d+\s+Ongoing/)
    expectMatch(await state("open-0"), /Ongoing.*operations-transactions-0/)
    const place = ["--topic", topic, "--partition", "0"]
    // The last column: where the open transaction of the only producer begins.
    expectMatch(await tool("TransactionsCommand", "describe-producers", ...place), /\s0\s*$/)
    await tool("TransactionsCommand", "abort", ...place, "--start-offset", "0")
    expectMatch(await tool("TransactionsCommand", "describe-producers", ...place), /\sNone\s*$/)
    await tool("TransactionsCommand", "forceTerminateTransaction", "--transactionalId", "open-1")
    expectMatch(await state("open-1"), /Empty/)
    await tool("TransactionsCommand", "find-hanging", "--broker-id", "1")
    return "one aborted by its partition, one by its id"
  } finally {
    await kafka.close()
  }
}

async function writeTo(kafka: KafkaClient, topic: string, count: number): Promise<void> {
  const producer = kafka.producer()
  const encoder = new TextEncoder()
  for (let at = 0; at < count; at++) void producer.send({ topic, partition: 0, value: encoder.encode(`record ${at}`) })
  await producer.flush()
  await producer.close()
}

async function withFile(text: string, use: (file: string) => Promise<unknown>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-compat-"))
  const file = path.join(directory, "file.json")
  writeFileSync(file, text)
  await use(file).finally(() => rmSync(directory, { recursive: true }))
}

function expectMatch(said: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(said)
  if (found === null) throw new Error(`nothing like ${pattern} in: ${said}`)
  return found
}
