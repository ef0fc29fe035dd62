/**
 * Watches a group's committed offsets against the ends of what it reads. Commits never go back, and once they stand at
 * the ends everything was processed, whoever got or missed the answers. What was answered to have been committed is.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"

export interface MonitorOptions {
  readonly brokers: string
  readonly group: string
  readonly topic: string
  readonly partitions: number
  /** By partition, up to where commits were answered so far. */
  readonly answered?: ReadonlyMap<number, number>
}

const INTERVAL_MS = 400
const ASK_TIMEOUT_MS = 20_000

export class Monitor {
  readonly findings: string[] = []
  readonly committed: number[]
  ends: number[]
  /** Virtual time at which the look began that `atEnd` is about. */
  lookedAtMs = -1
  stopped = false

  constructor(partitions: number) {
    this.committed = Array.from({ length: partitions }, () => -1)
    this.ends = Array.from({ length: partitions }, () => -1)
  }

  /** All that was in the log when it last looked has been processed. */
  get atEnd(): boolean {
    return this.lookedAtMs >= 0 && this.ends.every((end, partition) => Math.max(0, this.committed[partition]!) === end)
  }

  async run(host: Host, options: MonitorOptions): Promise<void> {
    const client = new KafkaClient({
      host,
      brokers: options.brokers,
      clientId: "monitor",
      defaultApiTimeoutMs: ASK_TIMEOUT_MS,
    })
    const consumer = client.consumer({ groupId: options.group, isolation: "read_committed" })
    const parts = this.ends.map((_, partition) => ({ topic: options.topic, partition }))
    while (!this.stopped) {
      const startedMs = host.clock.monotonic()
      const answered = new Map(options.answered ?? [])
      try {
        const ends = await consumer.endOffsets(parts, { isolation: "read_uncommitted" })
        const committed = await consumer.committed(parts)
        for (const { partition, offset } of committed) {
          const before = this.committed[partition]!
          if (offset < before)
            this.findings.push(`the committed offset of ${options.topic}-${partition} went from ${before} to ${offset}`)
          this.committed[partition] = offset
          const promised = answered.get(partition) ?? -1
          if (offset < promised)
            this.findings.push(`${options.topic}-${partition} was committed to ${promised}, the group has ${offset}`)
        }
        for (const { partition, offset } of ends) {
          const before = this.ends[partition]!
          if (offset < before)
            this.findings.push(`the end of ${options.topic}-${partition} went from ${before} to ${offset}`)
          this.ends[partition] = offset
        }
        this.lookedAtMs = startedMs
      } catch {
        // The broker is away or the group moves: it asks again.
      }
      await sleep(host.clock, INTERVAL_MS)
    }
    await consumer.close()
    await client.close()
  }
}
