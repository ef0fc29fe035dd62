/**
 * What logs need while time passes: retention, flushes by age, the expiry of silent producers, checkpoints.
 *
 * Retention by time and size touches only topics whose policy deletes; a compacted topic loses nothing to it. Only logs
 * that are open are looked at for flushes and producers: nothing was written to the others.
 */
import type { Clock } from "@millrace/host"
import type { ConfigView } from "../config/view.ts"
import type { Controller } from "../controller/controller.ts"
import type { ReplicaManager } from "../replica-manager.ts"
import type { Schedule } from "./schedule.ts"

export interface MaintenanceOptions {
  readonly clock: Clock
  readonly configs: ConfigView
  readonly replicas: ReplicaManager
  readonly controller: Controller
  readonly schedule: Schedule
}

/** How often logs with a flush age are looked at, at most. */
const FLUSH_CHECK_MS = 1000

export function startMaintenance({ clock, configs, replicas, controller, schedule }: MaintenanceOptions): void {
  const config = () => configs.broker
  const initialMs = config()["log.initial.task.delay.ms"]
  schedule.start({
    name: "retention",
    delayMs: initialMs,
    intervalMs: () => config()["log.retention.check.interval.ms"],
    run: () => retain(clock.now(), configs, replicas),
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

export function retain(now: number, configs: ConfigView, replicas: ReplicaManager): void {
  for (const partition of replicas.partitions()) {
    if (!partition.hasLog || partition.isOffline) continue
    const deletes = configs.topic(partition.topic)["cleanup.policy"].includes("delete")
    if (deletes) partition.attempt((log) => log.retain(now, partition.highWatermark))
  }
}

function flushByAge(now: number, replicas: ReplicaManager): void {
  for (const partition of replicas.partitions()) {
    if (!partition.isOpen || partition.isOffline) continue
    partition.flushIfDue(now)
  }
}
