/**
 * What else of Apache Kafka runs on a broker: its operators' tools, its test programs, Streams' smoke test, Connect.
 */
import { connectChecks } from "./java-connect.ts"
import { compactionSettings, operationChecks } from "./java-operations.ts"
import { smokeChecks } from "./java-smoke.ts"
import { verifiableChecks } from "./java-verifiable.ts"
import { withBroker } from "./own-broker.ts"
import type { Suite } from "./suite.ts"

const TOOLS = "Kafka tools 4.3.1 (Java)"

export const javaPrograms: Suite = {
  title: "Apache Kafka's test programs, Streams and Connect",

  async run(perform) {
    const settings = [
      "group.initial.rebalance.delay.ms=0",
      "num.partitions=4",
      // A killed consumer of the protocol that the broker leads is missed as soon as one of the classic protocol.
      "group.consumer.session.timeout.ms=6000",
      "group.consumer.min.session.timeout.ms=6000",
      "group.consumer.heartbeat.interval.ms=1000",
      "group.consumer.min.heartbeat.interval.ms=1000",
      ...compactionSettings,
    ]
    await withBroker(settings, async (broker) => {
      await perform(operationChecks(broker.address, TOOLS))
      await perform(verifiableChecks(broker.address, TOOLS))
      await perform(connectChecks(broker.address))
      await perform(smokeChecks(broker.address))
    })
  },
}
