/**
 * Quotas that Apache Kafka's tools set, and that its clients are held to. A busy machine makes clients slower still, so
 * that only rates above a quota count as failures.
 */
import type { Check } from "./check.ts"
import { kafkaTool } from "./java-tools.ts"

const CLIENT = "Kafka tools 4.3.1 (Java)"
const BYTES_PER_SECOND = 500_000
const RECORDS = 12_000
const RECORD_BYTES = 1_000
const MEGABYTE = 1_048_576
/** What ten windows allow comes at once; all of it together takes longer than that. */
const RATE_MAX = (RECORDS * RECORD_BYTES) / ((RECORDS * RECORD_BYTES) / BYTES_PER_SECOND - 10)

export function quotaChecks(brokers: string): Check[] {
  const check = (name: string, run: () => Promise<string>): Check => ({ client: CLIENT, name, run })
  const configs = (...args: string[]) =>
    kafkaTool("kafka.admin.ConfigCommand", ["--bootstrap-server", brokers, ...args])
  const client = ["--entity-type", "clients", "--entity-name", "held"]
  return [
    check("kafka-configs sets and describes quotas of clients, users and addresses", async () => {
      const rates = `producer_byte_rate=${BYTES_PER_SECOND},consumer_byte_rate=${BYTES_PER_SECOND}`
      await configs("--alter", ...client, "--add-config", rates)
      await configs("--alter", "--entity-type", "users", "--entity-default", "--add-config", "request_percentage=150")
      await configs(
        "--alter",
        "--entity-type",
        "ips",
        "--entity-name",
        "10.0.0.9",
        "--add-config",
        "connection_creation_rate=9",
      )
      const described = await configs("--describe", ...client)
      if (!described.stdout.includes(`producer_byte_rate=${BYTES_PER_SECOND}`)) throw new Error(described.stdout)
      const users = await configs("--describe", "--entity-type", "users")
      if (!users.stdout.includes("request_percentage=150")) throw new Error(users.stdout + users.stderr)
      const ips = await configs("--describe", "--entity-type", "ips", "--entity-name", "10.0.0.9")
      if (!ips.stdout.includes("connection_creation_rate=9")) throw new Error(ips.stdout)
      await configs("--alter", "--entity-type", "users", "--entity-default", "--delete-config", "request_percentage")
      return "set, described, deleted"
    }),
    check("kafka-producer-perf-test is held to its quota (producer_byte_rate)", async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.ProducerPerformance", [
        ...["--topic", "quota", "--num-records", String(RECORDS), "--record-size", String(RECORD_BYTES)],
        ...["--throughput", "-1", "--producer-props", `bootstrap.servers=${brokers}`, "client.id=held"],
      ])
      const last = stdout.trim().split("\n").at(-1)!
      return within(Number(/\(([\d.]+) MB\/sec\)/.exec(last)?.[1]), stdout)
    }),
    check("kafka-consumer-perf-test is held to its quota (consumer_byte_rate)", async () => {
      const { stdout } = await kafkaTool("org.apache.kafka.tools.ConsumerPerformance", [
        ...["--bootstrap-server", brokers, "--topic", "quota", "--num-records", String(RECORDS)],
        ...["--timeout", "60000", "--command-property", "client.id=held"],
      ])
      const fields = stdout.trim().split("\n").at(-1)!.split(",")
      if (Number(fields[4]) < RECORDS) throw new Error(stdout)
      return within(Number(fields[3]), stdout)
    }),
  ]
}

function within(megabytesPerSecond: number, output: string): string {
  // NaN is no success either.
  if (!(megabytesPerSecond * MEGABYTE <= RATE_MAX)) throw new Error(output)
  return `${megabytesPerSecond} MB/s with a quota of ${(BYTES_PER_SECOND / MEGABYTE).toFixed(2)} MB/s and its first ten seconds`
}
