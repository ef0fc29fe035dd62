/**
 * The brokers under torture: our broker or Apache Kafka, which the run starts and may kill, or somebody else's cluster.
 */
import * as path from "node:path"
import { startRealKafka } from "../../real-kafka.ts"
import { BrokerProcess } from "../broker-process.ts"

export interface Cluster {
  readonly kind: "millrace" | "apache-kafka" | "given"
  readonly brokers: string
  /** SIGKILL, and up again; not with somebody else's. */
  readonly crash?: () => Promise<void>
  stop(): Promise<void>
}

/**
 * Keeps the log of committed offsets short, which is read at each start. An Apache Kafka (seen with 4.4.0) whose coordinator is elected
 * anew while it still loads for the election before takes the end of the first load for the end of the second, as its runtime's
 * source reads too, and answers from what it has replayed by then: offsets and members of minutes ago, from which any client does its
 * work twice. With segments of 100 MB, its default, nothing of that log was compacted, and after twelve minutes of kills it got there.
 */
const SHORT_OFFSETS = { "offsets.topic.segment.bytes": "1048576", "log.cleaner.backoff.ms": "1000" }

export interface ClusterChoice {
  readonly brokers: string | undefined
  readonly kafka: boolean
  readonly directory: string
}

export async function startCluster({ brokers, kafka, directory }: ClusterChoice): Promise<Cluster> {
  if (brokers !== undefined) return { kind: "given", brokers, stop: async () => {} }
  if (kafka) {
    const real = await startRealKafka({ config: SHORT_OFFSETS })
    const crash = async () => {
      await real.kill()
      await real.restart()
    }
    return { kind: "apache-kafka", brokers: real.brokers, crash, stop: () => real.stop() }
  }
  const broker = new BrokerProcess(path.join(directory, "log"), [
    "group.initial.rebalance.delay.ms=0",
    "group.streams.session.timeout.ms=10000",
    "group.streams.num.standby.replicas=1",
    "offsets.topic.num.partitions=4",
    "transaction.state.log.num.partitions=4",
  ])
  await broker.start()
  const crash = async () => {
    await broker.kill()
    await broker.start()
  }
  return { kind: "millrace", brokers: broker.address, crash, stop: () => broker.stop() }
}
