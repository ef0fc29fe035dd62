/**
 * What a process takes of its machine, under the names that Prometheus' client libraries give it, so that dashboards made for
 * any process show this one. Of descriptors only Linux tells.
 */
import { readdirSync, readFileSync } from "node:fs"
import { type EventLoopUtilization, performance } from "node:perf_hooks"
import { type MetricsTable, one, prometheusText } from "@millrace/metrics"

export interface ProcessReport {
  /** User and system time of all threads. */
  readonly cpuMicros: number
  readonly residentBytes: number
  readonly heapBytes: number
  readonly eventLoop: EventLoopUtilization
  readonly startedAtMs: number
  readonly openFds: number | undefined
  readonly maxFds: number | undefined
}

const some = (value: number | undefined) => (value === undefined ? [] : one(value))

export const PROCESS_METRICS: MetricsTable<ProcessReport> = {
  prefix: "",
  metrics: [
    {
      name: "process_cpu_seconds_total",
      type: "counter",
      unit: "s",
      labels: [],
      help: "User and system time of all threads.",
      read: ({ cpuMicros }) => one(cpuMicros / 1e6),
    },
    {
      name: "process_resident_memory_bytes",
      type: "gauge",
      unit: "bytes",
      labels: [],
      help: "Resident memory.",
      read: ({ residentBytes }) => one(residentBytes),
    },
    {
      name: "process_start_time_seconds",
      type: "gauge",
      unit: "s",
      labels: [],
      help: "When the process started, in seconds since 1970.",
      read: ({ startedAtMs }) => one(startedAtMs / 1_000),
    },
    {
      name: "process_open_fds",
      type: "gauge",
      unit: "descriptors",
      labels: [],
      help: "Open descriptors: files and sockets.",
      read: ({ openFds }) => some(openFds),
    },
    {
      name: "process_max_fds",
      type: "gauge",
      unit: "descriptors",
      labels: [],
      help: "How many descriptors may be open.",
      read: ({ maxFds }) => some(maxFds),
    },
    {
      name: "nodejs_heap_size_used_bytes",
      type: "gauge",
      unit: "bytes",
      labels: [],
      help: "JavaScript's heap in use, dead objects included until they are collected.",
      read: ({ heapBytes }) => one(heapBytes),
    },
    {
      name: "nodejs_event_loop_active_seconds_total",
      type: "counter",
      unit: "s",
      labels: [],
      help: "For how long the main thread was busy. Its rate is the share of a core that is used up; at 1 requests wait for each other.",
      kafka: "the rate's complement: kafka.server:type=KafkaRequestHandlerPool,name=RequestHandlerAvgIdlePercent",
      read: ({ eventLoop }) => one(eventLoop.active / 1_000),
    },
  ],
}

export const processText = (): string => prometheusText(PROCESS_METRICS, [{ labels: {}, source: reportProcess() }])

function reportProcess(): ProcessReport {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    cpuMicros: user + system,
    residentBytes: rss,
    heapBytes: heapUsed,
    eventLoop: performance.eventLoopUtilization(),
    startedAtMs: performance.timeOrigin,
    openFds: ofLinux(() => readdirSync("/proc/self/fd").length),
    maxFds: ofLinux(() => Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1])),
  }
}

function ofLinux(read: () => number): number | undefined {
  try {
    const value = read()
    return Number.isNaN(value) ? undefined : value
  } catch {
    return undefined
  }
}
