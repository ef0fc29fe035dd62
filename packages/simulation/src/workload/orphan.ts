/**
 * A transactional producer that writes, stays silent for ever, and has no successor: its transaction ends by its timeout,
 * and what it wrote is never seen.
 */
import type { Host } from "@millrace/host"
import { KafkaClient } from "@millrace/client"

export interface OrphanOptions {
  /** Also the transactional id. */
  readonly name: string
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
}

const TRANSACTION_TIMEOUT_MS = 2_500

/** Adds what it is about to write to `aborted`. */
export async function abandon(host: Host, options: OrphanOptions, aborted: Set<string>): Promise<void> {
  const client = new KafkaClient({ host, brokers: options.brokers, clientId: options.name })
  const producer = client.producer({
    transactionalId: options.name,
    transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
    lingerMs: 0,
  })
  try {
    await producer.initTransactions()
    producer.beginTransaction()
    for (let partition = 0; partition < options.partitions; partition++) {
      const value = `aborted-${options.name}-${partition}`
      aborted.add(value)
      producer.append(options.topic, partition, host.clock.now(), null, Buffer.from(value))
    }
    await producer.flush()
  } catch {
    // The faults may have been faster; what was written stays unseen all the same.
  }
}
