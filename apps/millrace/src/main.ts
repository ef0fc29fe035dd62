/**
 * The `millrace` command: finds the command, runs it, and ends the process with its exit code.
 */
import { helpOf, readArguments, suggest, UsageError } from "./command.ts"
import { COMMANDS, type CommandEntry } from "./commands.ts"
import { reportFault } from "./fault.ts"

const HELP_WORDS: ReadonlySet<string> = new Set(["--help", "-h", "help"])
const isHelp = (word: string | undefined): boolean => word !== undefined && HELP_WORDS.has(word)

/** The command list; with a group, such as `topic`, only its commands. */
function usage(group?: string): string {
  const listed = Object.entries(COMMANDS).filter(([name]) => group === undefined || name.startsWith(`${group} `))
  const width = Math.max(...listed.map(([name]) => name.length))
  return [
    ...(group === undefined ? ["Stream processing for TypeScript, with the log built in.", ""] : []),
    `  millrace ${group === undefined ? "COMMAND" : `${group} COMMAND`} [options]`,
    "",
    ...listed.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    group === undefined
      ? "  millrace COMMAND --help tells more; millrace --version the version."
      : `  millrace ${group} COMMAND --help tells more.`,
  ].join("\n")
}

const membersOf = (group: string): string[] =>
  Object.keys(COMMANDS)
    .filter((name) => name.startsWith(`${group} `))
    .map((name) => name.slice(group.length + 1))

interface Found {
  readonly entry: CommandEntry
  readonly args: readonly string[]
}

/** The command that the arguments name; a text when they ask for help that needs no command. */
function find(args: readonly string[]): Found | string {
  const [first = "", second] = args
  const name = `${first} ${second}` in COMMANDS ? `${first} ${second}` : first
  const entry = COMMANDS[name]
  if (entry !== undefined) return { entry, args: args.slice(name.split(" ").length) }
  const members = membersOf(first)
  if (members.length === 0) {
    const words = Object.keys(COMMANDS).flatMap((one) => one.split(" ")[0]!)
    const kind = first.startsWith("-") ? "option" : "command"
    throw new UsageError(`unknown ${kind} ${first}${suggest(first, [...new Set(words)])}; see: millrace --help`)
  }
  if (isHelp(second)) return usage(first)
  const wanted = `millrace ${first} needs one of ${members.join(", ")}`
  throw new UsageError(
    second === undefined
      ? `${wanted}; see: millrace ${first} --help`
      : `${wanted}, not ${second}${suggest(second, members)}`,
  )
}

async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  if (first === undefined) {
    console.error(usage())
    return 2
  }
  if (first === "--version" || first === "-v" || first === "version") {
    const { default: manifest } = await import("../package.json", { with: { type: "json" } })
    console.log(manifest.version)
    return 0
  }
  const asked = isHelp(first) ? [...rest, "--help"] : args
  if (isHelp(asked[0])) {
    console.log(usage())
    return 0
  }
  const found = find(asked)
  if (typeof found === "string") {
    console.log(found)
    return 0
  }
  const { entry } = found
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
    // Whoever read has seen enough, as `head` does.
    if (!entry.server) process.exit(0)
  })
  const { default: command } = await entry.load()
  const end = found.args.indexOf("--")
  const options = end < 0 ? found.args : found.args.slice(0, end)
  if (options.includes("--help") || options.includes("-h")) {
    console.log(helpOf(command))
    return 0
  }
  return command.run(readArguments(command, found.args))
}

// A log that nobody reads is no reason to stop.
process.stderr.on("error", () => {})
process.on("uncaughtException", (error) => process.exit(reportFault(error)))

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => process.exit(reportFault(error)),
)
