/**
 * The metrics of a running pipeline, one table: the Prometheus text and docs/reference/streams-metrics.md derive from it.
 *
 * A metric that Kafka Streams has too names it, with its group; rates are left to whoever scrapes, `rate(…_total)`. Each
 * has the label `application`; those of tasks `task`, of stores `store` besides.
 */
import type { DropReason } from "../task/context.ts"
import { histogramSamples, type Metric, type MetricsTable, one, type Sample } from "@millrace/metrics"
import type { RunMetrics, TaskReport } from "./report.ts"

const perTask =
  (of: (task: TaskReport) => number) =>
  ({ perTask }: RunMetrics): readonly Sample[] =>
    perTask.map((task) => ({ labels: { task: task.task }, value: of(task) }))

const perStore =
  (of: (store: TaskReport["stores"][number]) => number) =>
  ({ perTask }: RunMetrics): readonly Sample[] =>
    perTask.flatMap(({ task, stores }) =>
      stores.map((store) => ({ labels: { task, store: store.store }, value: of(store) })),
    )

const METRICS: readonly Metric<RunMetrics>[] = [
  {
    name: "process_total",
    type: "counter",
    unit: "records",
    labels: [],
    help: "Records taken from input and repartition topics since the start, by tasks that have left too; those of aborted transactions count again.",
    kafka: "process-total (stream-thread-metrics)",
    read: (metrics) => one(metrics.processed),
  },
  {
    name: "process_rate",
    type: "gauge",
    unit: "records/s",
    labels: [],
    help: "Records processed a second, over the last 30 seconds.",
    kafka: "process-rate (stream-thread-metrics)",
    read: (metrics) => one(metrics.processRate),
  },
  {
    name: "emitted_total",
    type: "counter",
    unit: "records",
    labels: [],
    help: "Records written to topics other than changelogs.",
    read: (metrics) => one(metrics.emitted),
  },
  {
    name: "dead_letters_total",
    type: "counter",
    unit: "records",
    labels: [],
    help: "Records that could not be read, processed or written and went to a dead-letter topic.",
    read: (metrics) => one(metrics.deadLetters),
  },
  {
    name: "changelog_total",
    type: "counter",
    unit: "records",
    labels: [],
    help: "Records written to changelogs.",
    read: (metrics) => one(metrics.changelogged),
  },
  {
    name: "dropped_records_total",
    type: "counter",
    unit: "records",
    labels: ["reason"],
    help: "Records dropped, by reason: later than the grace of their window, without a key or a value where one is needed, or skipped. What global tables and stores pass over counts in each worker.",
    kafka: "dropped-records-total (stream-task-metrics)",
    read: ({ dropped }) =>
      (Object.keys(dropped) as DropReason[]).map((reason) => ({ labels: { reason }, value: dropped[reason] })),
  },
  {
    name: "commit_latency_ms",
    type: "histogram",
    unit: "ms",
    labels: ["le"],
    help: "How long commits took, from the end of intake to the outcome.",
    kafka: "commit-latency-avg, -max (stream-thread-metrics)",
    read: ({ commitLatency }) => histogramSamples(commitLatency),
  },
  {
    name: "commit_latency_max_ms",
    type: "gauge",
    unit: "ms",
    labels: [],
    help: "The longest commit since the start.",
    kafka: "commit-latency-max (stream-thread-metrics)",
    read: ({ commitLatency }) => one(commitLatency.maxMs),
  },
  {
    name: "commit_total",
    type: "counter",
    unit: "transactions",
    labels: [],
    help: "Transactions that committed.",
    kafka: "commit-total (stream-thread-metrics)",
    read: ({ transactions }) => one(transactions.committed),
  },
  {
    name: "abort_total",
    type: "counter",
    unit: "transactions",
    labels: [],
    help: "Transactions that were aborted, and whose input was read again.",
    read: ({ transactions }) => one(transactions.aborted),
  },
  {
    name: "workers",
    type: "gauge",
    unit: "threads",
    labels: [],
    help: "Threads of this process that process records.",
    kafka: "alive-stream-threads (stream-metrics)",
    read: ({ workers }) => one(workers),
  },
  {
    name: "tasks",
    type: "gauge",
    unit: "tasks",
    labels: ["state"],
    help: "Tasks of this process that run, that are being restored, and whose state is copied here.",
    read: ({ tasks, restoringTasks, standbyTasks, warmupTasks }) => [
      { labels: { state: "running" }, value: tasks },
      { labels: { state: "restoring" }, value: restoringTasks },
      { labels: { state: "standby" }, value: standbyTasks },
      { labels: { state: "warmup" }, value: warmupTasks },
    ],
  },
  {
    name: "task_process_total",
    type: "counter",
    unit: "records",
    labels: ["task"],
    help: "Records that the task has processed since it came here.",
    kafka: "process-total (stream-task-metrics)",
    read: perTask((task) => task.processed),
  },
  {
    name: "task_record_lateness_ms_total",
    type: "counter",
    unit: "ms",
    labels: ["task"],
    help: "By how much records came behind the greatest timestamp before them, all together; by task_process_total it is the average.",
    kafka: "record-lateness-avg (stream-task-metrics)",
    read: perTask((task) => task.latenessMsSum),
  },
  {
    name: "task_record_lateness_max_ms",
    type: "gauge",
    unit: "ms",
    labels: ["task"],
    help: "The most that a record came behind.",
    kafka: "record-lateness-max (stream-task-metrics)",
    read: perTask((task) => task.latenessMsMax),
  },
  {
    name: "task_input_lag",
    type: "gauge",
    unit: "records",
    labels: ["task"],
    help: "Offsets between what the task has processed and where its inputs ended when they were last fetched.",
    kafka: "records-lag (consumer-fetch-manager-metrics)",
    read: perTask((task) => task.inputLag),
  },
  {
    name: "task_awaited_upstreams",
    type: "gauge",
    unit: "tasks",
    labels: ["task"],
    help: "Upstream tasks that have told no time yet, since no record came from them: what waits for event time in the task, such as windows that are emitted when they close, or behind it, waits for them.",
    read: perTask(({ awaited }) => awaited.reduce((sum, one) => sum + one.upstreamPartitions.length, 0)),
  },
  {
    name: "task_buffered_records",
    type: "gauge",
    unit: "records",
    labels: ["task"],
    help: "Records fetched that wait for their turn, roughly: batches count whole.",
    kafka: "active-buffer-count (stream-task-metrics)",
    read: perTask((task) => task.buffered),
  },
  {
    name: "task_waiting_records",
    type: "gauge",
    unit: "records",
    labels: ["task"],
    help: "Records that were taken and wait: for a call of mapAsync or mapEffect, for rx, or behind one that does. Lag does not count them.",
    read: perTask((task) => task.waiting),
  },
  {
    name: "operator_process_total",
    type: "counter",
    unit: "records",
    labels: ["task", "operator"],
    help: 'Records that an operator received; only with metricsLevel "debug".',
    kafka: "process-total (stream-processor-node-metrics)",
    read: ({ perTask }) =>
      perTask.flatMap(({ task, operators }) =>
        Object.entries(operators).map(([operator, value]) => ({ labels: { task, operator }, value })),
      ),
  },
  {
    name: "store_entries",
    type: "gauge",
    unit: "rows",
    labels: ["task", "store"],
    help: "Rows in the store's committed state, roughly.",
    kafka: "estimate-num-keys (stream-state-metrics)",
    read: perStore((store) => store.entries),
  },
  {
    name: "store_bytes",
    type: "gauge",
    unit: "bytes",
    labels: ["task", "store"],
    help: "Bytes of the store's committed state: on disk and waiting to be written.",
    kafka: "total-sst-files-size (stream-state-metrics)",
    read: perStore((store) => store.bytes),
  },
  {
    name: "restore_remaining_records",
    type: "gauge",
    unit: "records",
    labels: ["task", "store"],
    help: "Offsets that a store is behind its changelog's end while it is restored.",
    kafka: "restore-remaining-records-total (stream-task-metrics)",
    read: ({ restoring }) =>
      restoring.map(({ task, store, remaining }) => ({ labels: { task, store }, value: remaining })),
  },
]

export const STREAMS_METRICS: MetricsTable<RunMetrics> = { prefix: "millrace_streams_", metrics: METRICS }
