/**
 * Connector configurations in a compacted topic in Kafka Connect's format, so that they outlive the worker.
 *
 * One worker writes; a change counts once the topic has it.
 */
import type { Admin, KafkaClient } from "@millrace/client"
import type { Clock } from "@millrace/host"
import type { WorkerSettings } from "../config/resolve.ts"
import { type ConfigRecord, ConfigReplay, connectorRecord, targetRecord } from "./config-record.ts"
import type { ConfigStore } from "./config-store.ts"
import { TopicLog } from "./topic-log.ts"
import type { Topics } from "./topics.ts"

export async function kafkaConfigStore(
  client: KafkaClient,
  admin: Admin,
  clock: Clock,
  worker: WorkerSettings,
  topics: Topics,
): Promise<ConfigStore> {
  const topic = worker["config.storage.topic"]
  await topics.ensure(topic, {
    partitions: 1,
    replicationFactor: worker["config.storage.replication.factor"],
    configs: { "cleanup.policy": "compact" },
  })
  const replay = new ConfigReplay()
  const log = new TopicLog(client, admin, topic, (key, value) => replay.replay(key, value))
  await log.open()
  await log.refresh()
  const producer = client.producer({})
  const write = async (records: readonly ConfigRecord[]) => {
    for (const { key, value } of records) producer.append(topic, 0, clock.now(), key, value)
    await producer.flush()
  }
  return {
    load: () => Promise.resolve(replay.connectors()),
    putConfig: (name, config) => write([connectorRecord(name, config)]),
    putTarget: (name, target) => write([targetRecord(name, target)]),
    remove: (name) => write([connectorRecord(name, null), targetRecord(name, null)]),
    async close() {
      await producer.close()
      await log.close()
    },
  }
}
