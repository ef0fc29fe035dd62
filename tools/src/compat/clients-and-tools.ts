/**
 * Clients and tools on one broker, whose files Kafka's own reader then reads; and on one that is secured.
 */
import { dumpLogChecks } from "./dump-log.ts"
import { javaConsumerChecks } from "./java-consumers.ts"
import { javaStreamsChecks, streamsGroupSettings } from "./java-streams.ts"
import { javaToolChecks } from "./java-tools.ts"
import { kafkajsChecks } from "./kafkajs.ts"
import { kcatChecks } from "./kcat.ts"
import { withBroker } from "./own-broker.ts"
import { quotaChecks } from "./quotas.ts"
import { secureBroker } from "./security.ts"
import type { Suite } from "./suite.ts"

export const clientsAndTools: Suite = {
  title: "Clients and tools",

  async run(perform) {
    // Small segments, so that rolls, several indexes and producer snapshots are part of what the tools read.
    const settings = [
      "log.segment.bytes=4194304",
      "group.initial.rebalance.delay.ms=0",
      "offsets.topic.num.partitions=8",
      ...streamsGroupSettings,
    ]
    await withBroker(settings, async (broker) => {
      await perform(await kcatChecks(broker.address))
      await perform(kafkajsChecks(broker.address))
      await perform(javaToolChecks(broker.address))
      await perform(javaConsumerChecks(broker.address))
      await perform(quotaChecks(broker.address))
      await perform(javaStreamsChecks(broker.address))
      await broker.stop()
      await perform(dumpLogChecks(broker.dataDir))
      const secure = await secureBroker()
      await perform(secure.checks).finally(() => secure.stop())
    })
  },
}
