/**
 * The `millrace` command. Finds the command, loads only its module (what a broker needs is not loaded to list topics,
 * and the other way round), and turns errors into one line and an exit code: 2 for wrong arguments, 1 for the rest.
 */
import { type Command, Failure, helpOf, readArguments, suggest, UsageError } from "./command.ts"

const COMMANDS: Readonly<Record<string, { readonly summary: string; load(): Promise<{ readonly default: Command }> }>> =
  {
    up: { summary: "broker, registry and connect worker in one process", load: () => import("./commands/up.ts") },
    broker: { summary: "one broker", load: () => import("./commands/broker.ts") },
    registry: { summary: "a schema registry on any Kafka cluster", load: () => import("./commands/registry.ts") },
    connect: { summary: "a connect worker on any Kafka cluster", load: () => import("./commands/connect.ts") },
    run: { summary: "run the pipelines that a module exports", load: () => import("./commands/run.ts") },
    describe: { summary: "show the topology of a module's pipelines", load: () => import("./commands/describe.ts") },
    "topic list": { summary: "list topics", load: () => import("./commands/topic-list.ts") },
    "topic create": { summary: "create topics", load: () => import("./commands/topic-create.ts") },
    "topic describe": {
      summary: "show partitions, offsets and settings of topics",
      load: () => import("./commands/topic-describe.ts"),
    },
    "topic delete": { summary: "delete topics", load: () => import("./commands/topic-delete.ts") },
    produce: { summary: "write records from standard input", load: () => import("./commands/produce.ts") },
    consume: { summary: "print records", load: () => import("./commands/consume.ts") },
    "group list": { summary: "list consumer groups", load: () => import("./commands/group-list.ts") },
    "group describe": {
      summary: "show members, offsets and lag of a group",
      load: () => import("./commands/group-describe.ts"),
    },
    "group delete": { summary: "delete empty groups", load: () => import("./commands/group-delete.ts") },
  }

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    "Stream processing for TypeScript, with the log built in.",
    "",
    "  millrace COMMAND [options]",
    "",
    ...rows,
    "",
    "  millrace COMMAND --help tells more; millrace --version the version.",
  ].join("\n")
}

async function main(args: readonly string[]): Promise<number> {
  const [first, second] = args
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    console.log(usage())
    return first === undefined ? 2 : 0
  }
  if (first === "--version" || first === "-v") {
    const { default: manifest } = await import("../package.json", { with: { type: "json" } })
    console.log(manifest.version)
    return 0
  }
  const name = second !== undefined && `${first} ${second}` in COMMANDS ? `${first} ${second}` : first
  const entry = COMMANDS[name]
  if (entry === undefined) {
    const group = Object.keys(COMMANDS).filter((one) => one.startsWith(`${first} `))
    if (group.length > 0)
      throw new UsageError(
        `millrace ${first} needs one of: ${group.map((one) => one.slice(first.length + 1)).join(", ")}`,
      )
    throw new UsageError(
      `unknown command ${first}${suggest(first, [...new Set(Object.keys(COMMANDS).flatMap((one) => [one, one.split(" ")[0]!]))])}; see: millrace --help`,
    )
  }
  const { default: found } = await entry.load()
  const rest = args.slice(name.split(" ").length)
  if (rest.includes("--help") || rest.includes("-h")) {
    console.log(helpOf(found))
    return 0
  }
  return found.run(readArguments(found, rest))
}

/** Errors that say on their own what is wrong and with which file, port, key or topic; anything else shows its stack. */
const SPEAKING = new Set([
  "Failure",
  "DiskError",
  "NetError",
  "ConfigError",
  "KafkaError",
  "LockedError",
  "CorruptSegmentError",
])

function report(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`millrace: ${error.message}`)
    return 2
  }
  if (error instanceof Failure || (error instanceof Error && (SPEAKING.has(error.name) || "oneLine" in error))) {
    console.error(`millrace: ${error.message}`)
    return 1
  }
  console.error("millrace: an unexpected fault; please report it with what follows")
  console.error(error)
  return 1
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => process.exit(report(error)),
)
