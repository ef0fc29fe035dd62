import * as path from "node:path"
import type { KafkaClient } from "@millrace/client"
import { sleep } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { applyReset, planReset, type ResetPlan, type ResetTarget, whyNotNow } from "@millrace/streams/reset/reset"
import { command, Failure, UsageError } from "../command.ts"
import { confirmed } from "../confirm.ts"
import { clusterOptions, commandConfigOption, withClient } from "../connection.ts"
import { serverPrinter } from "../parts/server-log.ts"
import { bold, dim, printTable } from "../terminal.ts"

const REMEDY = "start one, name others with --brokers, or say by --data where `millrace run` kept its own"
/** How often somebody looks whether the sessions of processes that were killed have ended. */
const SESSION_POLL_MS = 500
/** Of Kafka's own tool, and with a zone: without one it is UTC. */
const DATETIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:?\d{2})?$/

export default command({
  name: "reset",
  summary:
    "Starts a stopped application over: its input is read again, and its internal topics and local state are deleted. Output topics are left as they are.",
  positionals: "APP",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    brokers: {
      value: "HOST:PORT[,…]",
      help: `the cluster; without it and --data, ${clusterOptions.brokers.default}`,
    },
    "command-config": commandConfigOption,
    data: {
      value: "DIR",
      help: "where a broker inside `millrace run` that was stopped keeps its log: it is started for the time of the reset",
    },
    "input-topics": {
      value: "TOPIC[,…]",
      help: "topics to read again; without it all that the application has offsets of",
    },
    "to-earliest": { help: "from the beginning, which is the default" },
    "to-latest": { help: "from the end: what is there now is not read" },
    "to-datetime": { value: "YYYY-MM-DDTHH:mm:ss[.sss][Z]", help: "from the first record of that time or later" },
    state: { value: "DIR", help: "where local state lives, which is deleted", default: "./state" },
    "dry-run": { help: "only show what would be done, also while the application runs" },
    yes: { help: "do not ask" },
  },
  run: async ({ options, positionals }) => {
    const applicationId = positionals[0]!
    const target = targetOf(options)
    const inputTopics = options["input-topics"]?.split(",").map((name) => name.trim())
    if (inputTopics?.includes("")) throw new UsageError(`--input-topics ${options["input-topics"]}: a name is missing`)
    const { data } = options
    if (data !== undefined && (options.brokers !== undefined || options["command-config"] !== undefined))
      throw new UsageError("--data is for a broker that is started here, --brokers for one that runs: choose one")
    const plan = async (client: KafkaClient) => {
      const found = await planReset(client.admin(), nodeHost.disk, {
        applicationId,
        target,
        stateDirectory: path.join(path.resolve(options.state), applicationId),
        ...(inputTopics !== undefined && { inputTopics }),
      })
      if (!isEmpty(found)) return found
      throw new Failure(`there is nothing of an application ${applicationId}: no group, no internal topics, no state`)
    }
    return await withBroker(options, async (client) => {
      let planned = await plan(client)
      if (data !== undefined && !options["dry-run"] && isLeftOver(planned)) {
        console.error(`application ${applicationId} was killed: waiting until its session ends`)
        while (isLeftOver(planned)) {
          await sleep(nodeHost.clock, SESSION_POLL_MS)
          planned = await plan(client)
        }
      }
      const fault = whyNotNow(planned)
      if (fault !== undefined && !options["dry-run"]) throw new Failure(fault)
      show(planned)
      if (options["dry-run"]) {
        if (fault !== undefined) console.log(`${bold("Not now")}\n${fault}`)
        return 0
      }
      if (!options.yes && !(await agreed(applicationId))) throw new Failure("nothing was changed")
      await applyReset(client.admin(), nodeHost.disk, planned)
      console.log(`application ${applicationId} starts over`)
      return 0
    })
  },
})

/** Members of a broker that nobody else knows the address of: sessions of before that it has not ended yet. */
const isLeftOver = ({ members, stateHolder }: ResetPlan): boolean => members.length > 0 && stateHolder === undefined

/** A client of the cluster, or of a broker that is started on the log of one that was stopped. */
async function withBroker(
  options: {
    readonly brokers: string | undefined
    readonly "command-config": string | undefined
    readonly data: string | undefined
  },
  action: (client: KafkaClient) => Promise<number>,
): Promise<number> {
  const { data, brokers = clusterOptions.brokers.default } = options
  if (data === undefined) return await withClient({ ...options, brokers }, action, REMEDY)
  const { DEVELOPMENT_SETTINGS, hasLog, startBroker } = await import("../parts/broker.ts")
  if (!hasLog(data)) throw new Failure(`--data ${data}: no broker has kept its log there`)
  const log = serverPrinter("text").broker
  const listen = { host: "127.0.0.1", port: 0 }
  const broker = await startBroker({ dataDir: data, listen, config: DEVELOPMENT_SETTINGS, log })
  try {
    return await withClient({ brokers: broker.at, "command-config": undefined }, action)
  } finally {
    await broker.close()
  }
}

function targetOf(options: {
  readonly "to-earliest": boolean
  readonly "to-latest": boolean
  readonly "to-datetime": string | undefined
}): ResetTarget {
  const datetime = options["to-datetime"]
  const given = [options["to-earliest"], options["to-latest"], datetime !== undefined].filter(Boolean)
  if (given.length > 1) throw new UsageError("--to-earliest, --to-latest, --to-datetime: choose one of them")
  if (datetime === undefined) return options["to-latest"] ? "latest" : "earliest"
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(datetime)
  const time = DATETIME.test(datetime) ? Date.parse(hasZone ? datetime : `${datetime}Z`) : Number.NaN
  if (Number.isNaN(time)) {
    throw new UsageError(`--to-datetime ${datetime}: expected YYYY-MM-DDTHH:mm:ss, such as 2026-01-31T12:00:00`)
  }
  return time
}

const isEmpty = ({ offsets, internalTopics, hasGroup, stateFiles }: ResetPlan): boolean =>
  offsets.length + internalTopics.length + stateFiles.length === 0 && !hasGroup

function show({ offsets, internalTopics, stateFiles }: ResetPlan): void {
  console.log(bold("Offsets of the input"))
  printTable(
    ["topic", "partition", "from", "to"],
    offsets.map(({ topic, partition, before, offset }) => [topic, partition, before, offset]),
    "no topics: the application has read nothing; name them with --input-topics",
  )
  console.log(bold("Topics to delete"))
  for (const topic of internalTopics) console.log(topic)
  if (internalTopics.length === 0) console.log(dim("none"))
  console.log(bold("State to delete on this machine"))
  for (const file of stateFiles) console.log(file)
  if (stateFiles.length === 0) console.log(dim("none"))
}

async function agreed(applicationId: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("there is no terminal to ask at: say --yes, or --dry-run to look")
  return confirmed(`Reset ${applicationId}? Type its name to go on:`, applicationId)
}
