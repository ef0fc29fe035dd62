/**
 * npm run soak: see USAGE.
 *
 * A broker in a process of its own under a steady load (load.ts), its memory, descriptors and threads looked at every two
 * seconds. After five minutes, and at the end, all clients go, and what it holds then is compared: resident memory under load
 * may have grown to 1.1 times, descriptors must be the same, no deleted file may be open, and no record may be missing, there
 * twice, or visible though aborted. The samples go to samples.json, samples.csv and plot.svg.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { scriptArguments } from "../script-arguments.ts"
import { BrokerProcess } from "../torture/broker-process.ts"
import { Load } from "./load.ts"
import { plot } from "./plot.ts"
import { descriptorsOf, type Sample, sampleOf, totalOf } from "./samples.ts"
import { findings, type Rest, rssBefore } from "./verdict.ts"

const MINUTES = "30"
const RATE = "2000"
const SAMPLE_MS = 2_000
const BASE_MINUTES = 5
/** Of the samples that a figure of memory is the median of. */
const WINDOW_SECONDS = 60
/** How long connections may take to go once the clients went. */
const SETTLE_MS_MAX = 15_000
const PAUSE_MS = 200

const HEADER = "minute      RSS     heap  outside  descriptors  threads    written  read again  commits  joins"

/** Everything that takes its time by default is to happen many times within minutes. */
const SETTINGS = [
  "group.initial.rebalance.delay.ms=0",
  "log.initial.task.delay.ms=1000",
  "log.retention.check.interval.ms=5000",
  "log.cleaner.backoff.ms=1000",
  "offsets.topic.num.partitions=4",
  "transaction.state.log.num.partitions=4",
  "log.roll.ms=20000",
  "transactional.id.expiration.ms=60000",
  "transaction.remove.expired.transaction.cleanup.interval.ms=10000",
  "producer.id.expiration.ms=60000",
  "producer.id.expiration.check.interval.ms=10000",
]

const USAGE = `npm run soak [-- options]
  --minutes N      how long; ${MINUTES} without it
  --rate RECORDS   written a second; ${RATE} without it
  --out DIR        where samples and plot go`

const { values: options } = scriptArguments(USAGE, {
  options: {
    minutes: { type: "string", default: MINUTES },
    rate: { type: "string", default: RATE },
    out: { type: "string" },
  },
})
const minutes = Number(options.minutes)
const out = options.out ?? mkdtempSync(path.join(tmpdir(), "millrace-soak-"))
mkdirSync(out, { recursive: true })
const directory = mkdtempSync(path.join(tmpdir(), "millrace-soak-data-"))
const dataDir = path.join(directory, "log")
const heapFile = path.join(directory, "heap.json")
const broker = new BrokerProcess(dataDir, SETTINGS)
const samples: Sample[] = []
// It must not outlive this process.
process.on("exit", () => void broker.kill())
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
process.exitCode = 1
try {
  process.env["MILLRACE_SOAK_HEAP"] = heapFile
  process.env["NODE_OPTIONS"] = `--import=${pathToFileURL(path.join(import.meta.dirname, "heap-report.ts"))}`
  await broker.start()
  delete process.env["NODE_OPTIONS"]
  process.exitCode = await soak()
} finally {
  await broker.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function soak(): Promise<number> {
  const load = new Load(broker.address, Number(options.rate))
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1_000
  const look = () => {
    const sample = sampleOf(broker.pid, dataDir, heapFile)
    samples.push({ seconds: seconds(), ...sample, written: load.written, audited: load.audited })
    if (Math.floor(samples.at(-1)!.seconds / 60) > Math.floor((samples.at(-2)?.seconds ?? 0) / 60)) tell(load)
  }
  const phase = async (untilSeconds: number): Promise<{ readonly rssMb: number; readonly rest: Rest }> => {
    const began = seconds()
    await load.begin()
    while (seconds() < untilSeconds) {
      look()
      await pause(SAMPLE_MS)
    }
    const window = Math.min(WINDOW_SECONDS, (untilSeconds - began) / 2)
    const rssMb = rssBefore(samples, untilSeconds, window)
    await load.end()
    return { rssMb, rest: await resting() }
  }
  await load.createTopics()
  console.log(HEADER)
  const baseSeconds = Math.min(BASE_MINUTES, minutes / 2) * 60
  const base = await phase(baseSeconds)
  const end = await phase(minutes * 60)
  const lost = await load.findings()
  const grown = findings({ baseRssMb: base.rssMb, endRssMb: end.rssMb, base: base.rest, end: end.rest })
  for (const finding of [...grown, ...lost]) console.error(finding)
  writeReport()
  const result = {
    minutes,
    written: load.written,
    audited: load.audited,
    commits: load.commits,
    aborts: load.aborts,
    joins: load.joins,
    baseRssMb: Math.round(base.rssMb),
    endRssMb: Math.round(end.rssMb),
    growth: Number((end.rssMb / base.rssMb).toFixed(3)),
    descriptorsAtRest: [base.rest, end.rest].map(({ descriptors, segments }) => ({ ...descriptors, segments })),
    growthFindings: grown.length,
    recordFindings: lost.length,
  }
  console.log(`samples and plot are in ${out}`)
  console.log(`RESULT ${JSON.stringify(result)}`)
  return grown.length + lost.length === 0 ? 0 : 1
}

/** What is held with no client connected: waits until the sockets have gone, and what they held with them. */
async function resting(): Promise<Rest> {
  const deadline = performance.now() + SETTLE_MS_MAX
  let last = descriptorsOf(broker.pid, dataDir)
  for (let same = 0; same < 10 && performance.now() < deadline;) {
    await pause(PAUSE_MS)
    const now = descriptorsOf(broker.pid, dataDir)
    same = now.sockets === last.sockets && now.deleted === last.deleted ? same + 1 : 0
    last = now
  }
  const segments = readdirSync(dataDir, { recursive: true }).filter((name) => String(name).endsWith(".log")).length
  return { descriptors: last, segments }
}

function tell(load: Load): void {
  const { seconds, rssMb, heapMb, externalMb, threads, descriptors, written, audited } = samples.at(-1)!
  const mb = (value: number | undefined) => (value === undefined ? "?" : `${Math.round(value)} MB`)
  const columns: [string | number, number][] = [
    [Math.floor(seconds / 60), 6],
    [mb(rssMb), 9],
    [mb(heapMb), 9],
    [mb(externalMb), 9],
    [totalOf(descriptors), 13],
    [threads, 9],
    [written, 11],
    [audited, 12],
    [load.commits, 9],
    [load.joins, 7],
  ]
  console.log(columns.map(([text, width]) => String(text).padStart(width)).join(""))
}

function writeReport(): void {
  writeFileSync(path.join(out, "samples.json"), `${JSON.stringify(samples)}\n`)
  const rows = samples.map(({ descriptors, ...sample }) => ({ ...sample, ...descriptors }))
  const names = Object.keys(rows[0] ?? {}) as (keyof (typeof rows)[number])[]
  const csv = [names.join(","), ...rows.map((row) => names.map((name) => row[name] ?? "").join(","))]
  writeFileSync(path.join(out, "samples.csv"), `${csv.join("\n")}\n`)
  writeFileSync(path.join(out, "plot.svg"), plot(samples))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
