/**
 * A read-process-write in transactions: reads a topic in a group and writes each value to another, exactly once. Some
 * transactions are aborted on purpose after writing values that nobody may ever see. It may be killed at any time, and
 * its successor goes on with the same transactional id, even while it still lives: then it is fenced and ends.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient, type Producer } from "@millrace/client"
import type { SeededRandom } from "../random.ts"
import { type GroupProtocol, type GroupReader, groupReader } from "./consumer-member.ts"

export interface CopierOptions {
  /** Also the transactional id. */
  readonly name: string
  readonly brokers: string
  readonly group: string
  readonly protocol: GroupProtocol
  readonly source: string
  readonly target: string
  readonly targetPartitions: number
}

const ABORT_CHANCE = 0.2
const POLL_MS = 300
const RETRY_MS = 100
/** Work between reading and committing, during which the world may change. */
const WORK_CHANCE = 0.5
const WORK_MS_MAX = 400
const SESSION_TIMEOUT_MS = 3_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Counted over all processes of all copiers. */
export class CopierLog {
  /** Every value that was written only to be aborted. */
  readonly aborted = new Set<string>()
  /** Those of them that are in the log for sure, for whoever reads uncommitted. */
  readonly abortedAndAcknowledged = new Set<string>()
  /** By partition of the source, up to where commits were answered. */
  readonly committed = new Map<number, number>()
  commits = 0
  aborts = 0
  readonly failures: string[] = []
}

/** One process, as its suite sees it. */
export class CopierProcess {
  /** What it is at, for a run that got stuck. */
  step = "starting"
  ended = false
  /** A successor has started: after a failure it ends instead of taking its id back. */
  retired = false
  stopped = false
}

export async function copy(
  host: Host,
  random: SeededRandom,
  options: CopierOptions,
  log: CopierLog,
  self: CopierProcess,
): Promise<void> {
  const transactionVersionMax = random.pick([1, 2] as const)
  const clientOptions = {
    host,
    brokers: options.brokers,
    clientId: options.name,
    // An EndTxn of version 1 that arrives late ends whatever transaction is open then: it must not be given up.
    requestTimeoutMs: transactionVersionMax === 1 ? 30_000 : random.pick([1_500, 30_000]),
  }
  const client = new KafkaClient(clientOptions)
  const over = () => self.stopped || self.retired
  while (!over()) {
    // A producer that failed is not used again: its successor with the same id fences it and finishes what it left.
    const producer = client.producer({
      transactionalId: options.name,
      lingerMs: 1,
      batchSize: random.pick([60, 200, 16_384]),
      transactionTimeoutMs: random.pick([3_000, 20_000]),
      transactionVersionMax,
    })
    const consumer = groupReader(client, clientOptions, options.protocol, {
      groupId: options.group,
      isolation: "read_committed",
      autoOffsetReset: "earliest",
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: 6_000,
      maxPollRecords: random.pick([3, 20, 1_000]),
      maxPartitionFetchBytes: random.pick([100, 1_000, 1_000_000]),
    })
    try {
      self.step = "initialising its transactional id"
      await producer.initTransactions()
      consumer.subscribe([options.source])
      // A retired one goes on until it is told that it is fenced: that is what is tried.
      while (!self.stopped) await turn(host, random, options, log, self, producer, consumer)
    } catch (error) {
      log.failures.push(`${options.name} ${self.step}: ${String(error)}`)
      if (!over()) await sleep(host.clock, RETRY_MS)
    }
    self.step = "closing"
    await consumer.close().catch(() => {})
    await producer.close().catch(() => {})
  }
  await client.close()
  self.ended = true
}

async function turn(
  host: Host,
  random: SeededRandom,
  options: CopierOptions,
  log: CopierLog,
  self: CopierProcess,
  producer: Producer,
  consumer: GroupReader,
): Promise<void> {
  self.step = "polling"
  const fetched = await consumer.poll(POLL_MS)
  if (fetched.length === 0) return
  const group = consumer.groupMetadata()
  const aborts = random.chance(ABORT_CHANCE)
  const written: string[] = []
  producer.beginTransaction()
  for (const part of fetched) {
    const cursor = part.cursor()
    while (cursor.next()) {
      const value = decoder.decode(cursor.record.value()!)
      const copied = aborts ? `aborted-${value}` : value
      written.push(copied)
      if (aborts) log.aborted.add(copied)
      const bytes = encoder.encode(copied)
      producer.append(options.target, part.partition % options.targetPartitions, cursor.record.timestamp, bytes, bytes)
    }
  }
  if (random.chance(WORK_CHANCE)) {
    self.step = "working"
    await sleep(host.clock, random.int(WORK_MS_MAX))
  }
  if (aborts) {
    if (random.chance(0.5)) {
      self.step = "flushing"
      await producer.flush()
      for (const value of written) log.abortedAndAcknowledged.add(value)
    }
    self.step = "aborting"
    await producer.abortTransaction()
    log.aborts++
    // Backwards: a poll may answer several pieces of one partition, and reading goes on at the first.
    for (const part of fetched.toReversed()) consumer.seek(part, part.startOffset)
    return
  }
  self.step = "sending offsets"
  const ends = new Map(fetched.map((part) => [part.partition, part.nextOffset]))
  const offsets = [...ends].map(([partition, offset]) => ({ topic: options.source, partition, offset }))
  await producer.sendOffsetsToTransaction(offsets, group)
  if (random.chance(WORK_CHANCE / 2)) await sleep(host.clock, random.int(WORK_MS_MAX))
  self.step = "committing"
  await producer.commitTransaction()
  log.commits++
  for (const [partition, end] of ends) log.committed.set(partition, Math.max(end, log.committed.get(partition) ?? 0))
}
