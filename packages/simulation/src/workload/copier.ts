/**
 * A read-process-write in transactions: reads a topic in a group and writes each value to another, exactly once. Some
 * transactions are aborted on purpose after writing values that nobody may ever see. It may be killed at any time; its
 * successor goes on with the same transactional id.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"
import type { SeededRandom } from "../random.ts"

export interface CopierOptions {
  readonly name: string
  readonly brokers: string
  readonly group: string
  readonly source: string
  readonly target: string
  readonly targetPartitions: number
}

const ABORT_CHANCE = 0.2
const POLL_MS = 300
const RETRY_MS = 100
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Counted over all processes of a copier. */
export class CopierLog {
  readonly aborted = new Set<string>()
  /** Values of transactions whose commit was answered. */
  readonly committed = new Set<string>()
  commits = 0
  aborts = 0
  failures: string[] = []
}

export async function copy(
  host: Host,
  random: SeededRandom,
  options: CopierOptions,
  log: CopierLog,
  stopped: () => boolean,
): Promise<void> {
  const client = new KafkaClient({ host, brokers: options.brokers, clientId: options.name })
  while (!stopped()) {
    // A producer that failed is not used again: its successor with the same id fences it and finishes what it left.
    const producer = client.producer({ transactionalId: options.name, lingerMs: 1, transactionTimeoutMs: 20_000 })
    const consumer = client.consumer({
      groupId: options.group,
      isolation: "read_committed",
      autoOffsetReset: "earliest",
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 10_000,
    })
    try {
      await producer.initTransactions()
      consumer.subscribe([options.source])
      while (!stopped()) await turn(random, options, log, producer, consumer)
    } catch (error) {
      log.failures.push(String(error))
      await sleep(host.clock, RETRY_MS)
    }
    await consumer.close().catch(() => {})
    await producer.close().catch(() => {})
  }
  await client.close()
}

async function turn(
  random: SeededRandom,
  options: CopierOptions,
  log: CopierLog,
  producer: ReturnType<KafkaClient["producer"]>,
  consumer: ReturnType<KafkaClient["consumer"]>,
): Promise<void> {
  const fetched = await consumer.poll(POLL_MS)
  if (fetched.length === 0) return
  const aborts = random.chance(ABORT_CHANCE)
  const values: string[] = []
  producer.beginTransaction()
  for (const part of fetched) {
    const cursor = part.cursor()
    while (cursor.next()) {
      const value = decoder.decode(cursor.record.value()!)
      values.push(value)
      const written = aborts ? `aborted-${value}` : value
      if (aborts) log.aborted.add(written)
      const bytes = encoder.encode(written)
      producer.append(options.target, part.partition % options.targetPartitions, cursor.record.timestamp, bytes, bytes)
    }
  }
  if (aborts) {
    await producer.flush()
    await producer.abortTransaction()
    log.aborts++
    // Backwards: a poll may answer several pieces of one partition, and reading goes on at the first.
    for (const part of fetched.toReversed()) consumer.seek(part, part.startOffset)
    return
  }
  const ends = new Map(fetched.map((part) => [part.partition, part.nextOffset]))
  const offsets = [...ends].map(([partition, offset]) => ({ topic: options.source, partition, offset }))
  await producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata())
  await producer.commitTransaction()
  log.commits++
  for (const value of values) log.committed.add(value)
}
