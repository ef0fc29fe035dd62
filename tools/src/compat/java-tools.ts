/**
 * Apache Kafka's own command-line tools, run from their Maven artifacts.
 */
import { toolsClasspath } from "../real-kafka.ts"
import { type Check, execute } from "./check.ts"

const VERSION = "Kafka tools 4.3.1 (Java)"
const RECORDS = 200_000

/** Runs one of Kafka's tools; what log4j says about itself does not count as output. */
export async function kafkaTool(main: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const classpath = await toolsClasspath()
  const result = await execute("java", [
    "-Xmx512m",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.apache.logging.log4j.level=ERROR",
    "-cp",
    classpath,
    main,
    ...args,
  ])
  const stderr = result.stderr
    .split("\n")
    .filter((line) => !/^(SLF4J|.*StatusLogger|.*ERROR StatusLogger)|^\s*$/.test(line))
    .join("\n")
  return { stdout: result.stdout, stderr }
}

export function javaToolChecks(brokers: string): Check[] {
  const check = (name: string, run: () => Promise<string>): Check => ({ client: VERSION, name, run })
  const topics = (...args: string[]) =>
    kafkaTool("org.apache.kafka.tools.TopicCommand", ["--bootstrap-server", brokers, ...args])
  return [
    check("kafka-topics creates, describes, alters, lists", async () => {
      await topics("--create", "--topic", "java-perf", "--partitions", "3")
      for (const topic of ["java-copy-in", "java-transactions"])
        await topics("--create", "--topic", topic, "--partitions", "2")
      await topics("--create", "--topic", "java-copy-out", "--partitions", "2")
      await topics("--alter", "--topic", "java-perf", "--partitions", "4")
      const { stdout } = await topics("--describe", "--topic", "java-perf")
      if (!/PartitionCount: 4/.test(stdout)) throw new Error(stdout)
      if (!(await topics("--list")).stdout.includes("java-copy-in")) throw new Error("the list lacks a topic")
      return "4 partitions"
    }),
    check(`kafka-producer-perf-test: ${RECORDS} records, acks=all, idempotent`, async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.ProducerPerformance", [
        "--topic",
        "java-perf",
        "--num-records",
        String(RECORDS),
        "--record-size",
        "100",
        "--throughput",
        "-1",
        "--producer-props",
        `bootstrap.servers=${brokers}`,
        "acks=all",
        "linger.ms=5",
      ])
      const last = stdout.trim().split("\n").at(-1)!
      if (!last.startsWith(`${RECORDS} records sent`)) throw new Error(stdout)
      return /([\d.]+) records\/sec/.exec(last)![0]
    }),
    check(`kafka-consumer-perf-test: ${RECORDS} records`, async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.ConsumerPerformance", [
        "--bootstrap-server",
        brokers,
        "--topic",
        "java-perf",
        "--num-records",
        String(RECORDS),
        "--timeout",
        "30000",
      ])
      const fields = stdout
        .trim()
        .split("\n")
        .at(-1)!
        .split(",")
        .map((field) => field.trim())
      if (Number(fields[4]) < RECORDS) throw new Error(`consumed ${fields[4]}: ${stdout}`)
      return `${fields[5]} records/sec`
    }),
    check("kafka-producer-perf-test with transactions", async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.ProducerPerformance", [
        "--topic",
        "java-transactions",
        "--num-records",
        "20000",
        "--record-size",
        "100",
        "--throughput",
        "-1",
        "--transaction-duration-ms",
        "100",
        "--transactional-id",
        "java-perf-tx",
        "--producer-props",
        `bootstrap.servers=${brokers}`,
      ])
      if (!stdout.includes("20000 records sent")) throw new Error(stdout)
      return "20000 records"
    }),
    check("TransactionalMessageCopier copies exactly once", async () => {
      // So large that the log of the copies has indexes: one that is small has none.
      await kafkaTool("org.apache.kafka.tools.ProducerPerformance", [
        "--topic",
        "java-copy-in",
        "--num-records",
        "5000",
        "--record-size",
        "500",
        "--throughput",
        "-1",
        "--producer-props",
        `bootstrap.servers=${brokers}`,
      ])
      const { stdout } = await kafkaTool("org.apache.kafka.tools.TransactionalMessageCopier", [
        "--broker-list",
        brokers,
        "--transactional-id",
        "java-copier",
        "--input-topic",
        "java-copy-in",
        "--input-partition",
        "0",
        "--output-topic",
        "java-copy-out",
        "--consumer-group",
        "java-copier-group",
        "--max-messages",
        "2000",
        "--transaction-size",
        "100",
        "--enable-random-aborts",
        "--group-mode",
      ])
      const last = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
        consumed: number
        remaining: number
        shutdown_complete?: unknown
      }
      if (last.remaining !== 0) throw new Error(`remaining ${last.remaining}: ${stdout.slice(-500)}`)
      return `${last.consumed} copied with random aborts`
    }),
    check("kafka-get-offsets", async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.GetOffsetShell", [
        "--bootstrap-server",
        brokers,
        "--topic",
        "java-perf",
      ])
      const total = stdout
        .trim()
        .split("\n")
        .reduce((sum, line) => sum + Number(line.split(":")[2]), 0)
      if (total !== RECORDS) throw new Error(`${total} instead of ${RECORDS}: ${stdout}`)
      return `${total} records`
    }),
    check("kafka-consumer-groups describes", async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", [
        "--bootstrap-server",
        brokers,
        "--describe",
        "--group",
        "java-copier-group",
      ])
      if (!stdout.includes("java-copy-in")) throw new Error(stdout)
      return "offsets and lag shown"
    }),
    check("kafka-configs describes and alters", async () => {
      const configs = (...args: string[]) =>
        kafkaTool("kafka.admin.ConfigCommand", [
          "--bootstrap-server",
          brokers,
          "--entity-type",
          "topics",
          "--entity-name",
          "java-perf",
          ...args,
        ])
      await configs("--alter", "--add-config", "retention.ms=3600000")
      const { stdout } = await configs("--describe")
      if (!stdout.includes("retention.ms=3600000")) throw new Error(stdout)
      return "retention.ms altered"
    }),
    check("kafka-configs describes, alters and deletes settings of groups", async () => {
      const configs = (...args: string[]) =>
        kafkaTool("kafka.admin.ConfigCommand", ["--bootstrap-server", brokers, "--entity-type", "groups", ...args])
      const group = ["--entity-name", "java-group"]
      const setting = "consumer.session.timeout.ms=50000"
      await configs("--alter", ...group, "--add-config", setting)
      const { stdout: all } = await configs("--describe")
      if (!all.includes("java-group") || !all.includes(setting)) throw new Error(all)
      await configs("--alter", ...group, "--delete-config", "consumer.session.timeout.ms")
      const { stdout: none } = await configs("--describe", ...group)
      if (none.includes(setting)) throw new Error(none)
      return "consumer.session.timeout.ms set and deleted"
    }),
  ]
}
