/**
 * npm run torture: see USAGE.
 *
 * The broker suite: a real broker process, killed with SIGKILL again and again while idempotent producers write,
 * transactional copiers copy in groups of either protocol, with members joining and leaving, others write a compacted
 * topic, and processes of a streams group run and are killed as well. At the end the whole log is read: no acknowledged
 * record may be missing, none may be there twice, no aborted record may be seen; the compacted topic has the last value of
 * every key and nothing else; and the results of the streams are what their input asks for. With `--brokers` the same load,
 * but for the streams, and the same checks run against a cluster that somebody else keeps alive.
 *
 * The streams suite (streams/suite.ts): processes of a pipeline, killed while it runs. `--kafka` starts an Apache Kafka
 * for it, which is killed as well; `--group-protocol streams` has the broker assign tasks.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { PROTOCOLS } from "@millrace/simulation/workload/consumer-member"
import { readLog } from "@millrace/simulation/workload/read-log"
import { countArgument, scriptArguments, wrongArguments } from "../script-arguments.ts"
import { BrokerProcess } from "./broker-process.ts"
import { Copier, spread } from "./copier.ts"
import { Ledger } from "./ledger.ts"
import { streamsSuite } from "./streams/suite.ts"
import { Table, TABLE_CONFIGS } from "./table.ts"
import { Writer } from "./writer.ts"

const PARTITIONS = 4
const WRITERS = 3
/** Members of each group's protocol in turn. */
const COPIERS = 4
const KILLS_DEFAULT = 50
/** How long the broker lives between two kills, drawn uniformly. */
const LIFE_MS_MIN = 300
const LIFE_MS_MAX = 1_800
/** Of the broker's kills, as many of the streams processes beside it. */
const STREAMS_KILLS_SHARE = 0.3
const DRAIN_MS_MAX = 180_000
const FINDINGS_SHOWN_MAX = 20

const USAGE = `npm run torture [-- SUITE] [options]
  SUITE              broker (without it) or streams
  --kills N          SIGKILLs; ${KILLS_DEFAULT} without it
  --minutes N        how long; as long as the kills take without it
  --brokers B        a cluster that somebody else keeps alive: its brokers are not killed
  --kafka            streams: on an Apache Kafka that is started for it, and killed as well
  --group-protocol P streams: classic, or streams, where the broker assigns tasks
  --json             broker: print the result alone, as JSON
  --keep             leave the log and the state where they are`

const { values: options, positionals } = scriptArguments(USAGE, {
  allowPositionals: true,
  options: {
    kills: { type: "string" },
    minutes: { type: "string" },
    brokers: { type: "string" },
    kafka: { type: "boolean", default: false },
    "group-protocol": { type: "string", default: "classic" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
})

const killsGiven = countArgument(USAGE, "kills", options.kills) ?? KILLS_DEFAULT
const minutesGiven = countArgument(USAGE, "minutes", options.minutes)

const SUITES: Readonly<Record<string, () => Promise<number>>> = {
  broker: brokerSuite,
  streams: () =>
    streamsSuite({
      kills: killsGiven,
      minutes: minutesGiven,
      brokers: options.brokers,
      kafka: options.kafka,
      groupProtocol: options["group-protocol"],
      keep: options.keep,
      say,
    }),
}

async function brokerSuite(): Promise<number> {
  const kills = options.brokers === undefined ? killsGiven : 0
  const minutes = minutesGiven
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-torture-"))
  const broker = new BrokerProcess(path.join(directory, "log"), [
    "group.initial.rebalance.delay.ms=0",
    "group.consumer.session.timeout.ms=10000",
    "group.consumer.heartbeat.interval.ms=1000",
    "group.consumer.min.session.timeout.ms=1000",
    "group.consumer.min.heartbeat.interval.ms=100",
    "group.streams.session.timeout.ms=10000",
    "group.streams.num.standby.replicas=1",
    "offsets.topic.num.partitions=4",
    "transaction.state.log.num.partitions=4",
    // Compaction of the coordinators' logs as well, as often as can be.
    "log.roll.ms=5000",
    "log.initial.task.delay.ms=1000",
    "log.cleaner.backoff.ms=500",
    "log.cleaner.min.cleanable.ratio=0.05",
  ])
  const readyMs: number[] = []
  let passed = false
  try {
    if (options.brokers === undefined) readyMs.push(await broker.start())
    const brokers = options.brokers ?? broker.address
    const suffix = Date.now().toString(36)
    const source = `torture-in-${suffix}`
    const tableTopic = `torture-table-${suffix}`
    const client = new KafkaClient({ host: nodeHost, brokers, clientId: "torture" })
    const copies = PROTOCOLS.map((protocol) => ({
      protocol,
      group: `${protocol}-copiers-${suffix}`,
      target: `torture-${protocol}-${suffix}`,
    }))
    const topics = [source, ...copies.map(({ target }) => target)]
    await client
      .admin()
      .createTopics([
        ...topics.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: -1 })),
        { name: tableTopic, partitions: PARTITIONS, replicationFactor: -1, configs: TABLE_CONFIGS },
      ])

    const ledger = new Ledger()
    const table = new Table(client, brokers, tableTopic, PARTITIONS)
    const keeping = table.run()
    const streaming = options.brokers === undefined ? streamsBeside(brokers, kills) : Promise.resolve(0)
    const writers = Array.from(
      { length: WRITERS },
      (_, index) => new Writer(client, `w${index}`, source, PARTITIONS, ledger),
    )
    const newCopier = (index: number) => {
      const name = `copier-${suffix}-${index}`
      const copy = copies[index % copies.length]!
      const targetPartition = (value: string) => spread(value, PARTITIONS)
      return new Copier(client, { name, brokers, ...copy, source, targetPartition }, ledger.aborted)
    }
    const copiers = Array.from({ length: COPIERS }, (_, index) => newCopier(index))
    const writing = writers.map((writer) => writer.run())
    const copying = copiers.map((copier) => copier.run())
    const everyCopier = [...copiers]

    const started = performance.now()
    const over = () => (minutes === undefined ? false : performance.now() - started > minutes * 60_000)
    const rounds = options.brokers === undefined ? kills : Infinity
    for (let round = 0; round < rounds && !over(); round++) {
      await pause(LIFE_MS_MIN + Math.random() * (LIFE_MS_MAX - LIFE_MS_MIN))
      if (options.brokers === undefined) {
        await broker.kill()
        readyMs.push(await broker.start())
        say(
          `kill ${round + 1}/${kills}: ready again in ${Math.round(readyMs.at(-1)!)} ms, ${ledger.acknowledged.size} acknowledged, ${sum(everyCopier, "commits")} commits`,
        )
      }
      if (round % 5 === 4) {
        // A member leaves and another joins: the group rebalances under load.
        const index = Math.floor(round / 5) % COPIERS
        copiers[index]!.stop()
        await copying[index]
        copiers[index] = newCopier(index)
        everyCopier.push(copiers[index]!)
        copying[index] = copiers[index]!.run()
      }
    }

    for (const writer of writers) writer.stop()
    await Promise.all(writing)
    const placed = await readLog(nodeHost, brokers, source, PARTITIONS, "read_uncommitted")
    const input = placed.flat().map(({ value }) => value)
    say(
      `writers stopped: ${ledger.acknowledged.size} of ${ledger.sent} acknowledged, ${input.length} in the log; waiting for the copiers`,
    )
    for (const { group } of copies) await drained(client, group, source)
    for (const copier of copiers) copier.stop()
    await Promise.all(copying)
    table.stop()
    await keeping
    const findings = [...ledger.checkInput(placed), ...(await table.check(DRAIN_MS_MAX))]
    let [copied, raw] = [0, 0]
    for (const { target } of copies) {
      const values = async (isolation: "read_committed" | "read_uncommitted") =>
        (await readLog(nodeHost, brokers, target, PARTITIONS, isolation)).flat().map(({ value }) => value)
      const copy = await values("read_committed")
      copied += copy.length
      raw += (await values("read_uncommitted")).length
      findings.push(...ledger.checkCopy(input, copy))
    }
    const streamsFailed = (await streaming) !== 0
    for (const finding of findings.slice(0, FINDINGS_SHOWN_MAX)) console.error(finding)
    passed = findings.length === 0 && !streamsFailed
    const result = {
      suite: "broker",
      kills: options.brokers === undefined ? readyMs.length - 1 : 0,
      seconds: Math.round((performance.now() - started) / 1000),
      acknowledged: ledger.acknowledged.size,
      inLog: input.length,
      lost: findings.filter((finding) => /missing|not copied/.test(finding)).length,
      duplicated: findings.filter((finding) => /duplicated|times/.test(finding)).length,
      abortedSeen: findings.filter((finding) => /visible/.test(finding)).length,
      copied,
      abortedInLog: raw - copied,
      tableUpdates: table.updates,
      tableCommits: table.commits,
      tableFindings: findings.filter((finding) => /ends as|is not cleaned|stands behind|never written/.test(finding))
        .length,
      commits: sum(everyCopier, "commits"),
      aborts: sum(everyCopier, "aborts"),
      unknownOutcomes: sum(everyCopier, "unknown"),
      readyMsMedian: Math.round(readyMs.toSorted((a, b) => a - b)[Math.floor(readyMs.length / 2)] ?? 0),
      readyMsMax: Math.round(Math.max(0, ...readyMs)),
    }
    console.log(`RESULT ${JSON.stringify(result)}`)
    await client.close()
    return passed ? 0 : 1
  } finally {
    await broker.stop()
    if (passed && !options.keep) rmSync(directory, { recursive: true, force: true })
    else say(`data kept in ${directory}`)
  }
}

/** Processes of a streams group on the same broker, killed themselves, while it is. */
function streamsBeside(brokers: string, kills: number): Promise<number> {
  const { keep } = options
  const share = Math.ceil(kills * STREAMS_KILLS_SHARE)
  return streamsSuite({ kills: share, minutes: undefined, brokers, kafka: false, groupProtocol: "streams", keep, say })
}

/** Waits until the group has committed the end of every partition. */
async function drained(client: KafkaClient, group: string, topic: string): Promise<void> {
  const admin = client.admin()
  const parts = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, timestamp: -1 }))
  const ends = await admin.listOffsets(parts)
  const deadline = performance.now() + DRAIN_MS_MAX
  while (performance.now() < deadline) {
    const committed = await admin.listGroupOffsets(group)
    const behind = ends.some(
      (end) =>
        (committed.find((one) => one.topic === topic && one.partition === end.partition)?.offset ?? 0) < end.offset,
    )
    if (!behind) return
    await pause(200)
  }
}

function sum(copiers: readonly Copier[], field: "commits" | "aborts" | "unknown" | "copied"): number {
  return copiers.reduce((total, copier) => total + copier[field], 0)
}

function say(line: string): void {
  if (!options.json) console.log(line)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const suite = SUITES[positionals[0] ?? "broker"]
if (suite === undefined) wrongArguments(USAGE, `unknown suite ${positionals[0]}`)
process.exitCode = await suite()
