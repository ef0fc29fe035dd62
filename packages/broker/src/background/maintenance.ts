/**
 * What logs need while time passes: retention, flushes by age, the expiry of silent producers, checkpoints.
 *
 * Retention by time and size touches only topics whose policy deletes; a compacted topic loses nothing to it. It goes by
 * the times of records, which may be their producers' own: what it takes soon after it was written is told. Only logs that
 * are open are looked at for flushes and producers: nothing was written to the others.
 */
import type { Clock } from "@millrace/host"
import type { Log } from "@millrace/storage"
import type { ConfigView } from "../config/view.ts"
import type { Controller } from "../controller/controller.ts"
import type { ReplicaManager } from "../replica-manager.ts"
import type { Schedule } from "./schedule.ts"
import type { ServerLog } from "../server-log.ts"

export interface MaintenanceOptions {
  readonly clock: Clock
  readonly configs: ConfigView
  readonly replicas: ReplicaManager
  readonly controller: Controller
  readonly schedule: Schedule
  readonly log: ServerLog
}

/** How often logs with a flush age are looked at, at most. */
const FLUSH_CHECK_MS = 1000
const DAY_MS = 86_400_000
/** Of how many topics it is told that retention took what had just been written. */
const TOLD_TOPICS_MAX = 100

export function startMaintenance({ clock, configs, replicas, controller, schedule, log }: MaintenanceOptions): void {
  const config = () => configs.broker
  const toldTopics = new Set<string>()
  const tell = (topic: string, message: string) => {
    if (toldTopics.size < TOLD_TOPICS_MAX && !toldTopics.has(topic))
      log(message, { level: "warn", event: "retention-took-new-records", topic })
    toldTopics.add(topic)
  }
  const initialMs = config()["log.initial.task.delay.ms"]
  schedule.start({
    name: "retention",
    delayMs: initialMs,
    intervalMs: () => config()["log.retention.check.interval.ms"],
    run: () => retain(clock.now(), configs, replicas, tell),
  })
  schedule.start({
    name: "flush",
    delayMs: FLUSH_CHECK_MS,
    intervalMs: () => FLUSH_CHECK_MS,
    run: () => flushByAge(clock.now(), replicas),
  })
  schedule.start({
    name: "producer expiry",
    delayMs: initialMs,
    intervalMs: () => config()["producer.id.expiration.check.interval.ms"],
    run: () => {
      for (const partition of replicas.partitions()) {
        if (partition.isOpen) partition.attempt((log) => log.expireProducers(clock.now()))
      }
    },
  })
  schedule.start({
    name: "checkpoints",
    delayMs: config()["replica.high.watermark.checkpoint.interval.ms"],
    intervalMs: () => config()["replica.high.watermark.checkpoint.interval.ms"],
    run: () => replicas.checkpoint(),
  })
  const snapshotMs = () => config()["metadata.log.max.snapshot.interval.ms"]
  if (snapshotMs() > 0) {
    schedule.start({
      name: "metadata snapshot",
      delayMs: snapshotMs(),
      intervalMs: snapshotMs,
      run: () => controller.snapshotIfChanged(),
    })
  }
}

function retain(
  now: number,
  configs: ConfigView,
  replicas: ReplicaManager,
  tell: (topic: string, message: string) => void,
): void {
  for (const partition of replicas.partitions()) {
    if (!partition.hasLog || partition.isOffline) continue
    const deletes = configs.topic(partition.topic)["cleanup.policy"].includes("delete")
    if (!deletes) continue
    partition.attempt((log) => {
      const early = takenEarly(log, now)
      if (log.retain(now, partition.highWatermark) > 0 && early !== undefined)
        tell(partition.topic, `topic ${partition.topic}: ${early}`)
    })
  }
}

/** What is to be said when retention takes the log's oldest segment: it was written within retention.ms. */
function takenEarly(log: Log, now: number): string | undefined {
  const { baseOffset, createdAt, maxTimestamp } = log.segments[0]!
  const { retentionMs } = log.config
  const isExpired = retentionMs >= 0 && maxTimestamp >= 0 && now - maxTimestamp > retentionMs
  const writtenMs = now - createdAt
  if (!isExpired || baseOffset < log.endOffsetAtOpen || writtenMs > retentionMs) return undefined
  return (
    `retention.ms=${retentionMs} deletes records that were written in the last ${span(writtenMs)}: ` +
    `their own times are ${span(now - maxTimestamp)} or more ago; ` +
    "set retention.ms=-1 to keep them, or message.timestamp.type=LogAppendTime to go by when they came"
  )
}

const span = (ms: number): string => (ms < 2 * DAY_MS ? `${Math.ceil(ms / 1000)} s` : `${Math.floor(ms / DAY_MS)} days`)

function flushByAge(now: number, replicas: ReplicaManager): void {
  for (const partition of replicas.partitions()) {
    if (!partition.isOpen || partition.isOffline) continue
    partition.flushIfDue(now)
  }
}
