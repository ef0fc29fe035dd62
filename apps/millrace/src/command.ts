/**
 * What a command is: its name, its options as a table, and what it does. `--help`, parsing and the messages about
 * wrong arguments all derive from the table.
 */
import { parseArgs } from "node:util"

export interface Option {
  /** What stands after the option in the help, such as DIR; absent for a flag. */
  readonly value?: string
  readonly help: string
  readonly default?: string
  readonly multiple?: boolean
  readonly required?: boolean
  /** The empty text is a value. */
  readonly mayBeEmpty?: boolean
}

export type OptionTable = Readonly<Record<string, Option>>

/** The value of each option: text, a list where it may repeat, a boolean for a flag. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { multiple: true }
    ? readonly string[]
    : Table[Name] extends { value: string }
      ? Table[Name] extends { default: string } | { required: true }
        ? string
        : string | undefined
      : boolean
}

export interface Arguments<Table extends OptionTable> {
  readonly options: OptionValues<Table>
  readonly positionals: readonly string[]
}

export interface Command<Table extends OptionTable = OptionTable> {
  /** As typed, such as "topic create". */
  readonly name: string
  readonly summary: string
  /** The positional arguments in the help, such as "FILE.ts" or "NAME [NAME …]". */
  readonly positionals?: string
  readonly positionalsMin?: number
  readonly positionalsMax?: number
  readonly options: Table
  /** Resolves to the exit code. */
  run(given: Arguments<Table>): Promise<number>
}

export const command = <const Table extends OptionTable>(definition: Command<Table>): Command<Table> => definition

/** Wrong arguments: one line to stderr, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

/** A fault that a person can mend: one line to stderr, exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure"
}

/** Reads the arguments after the command's name. */
export function readArguments<Table extends OptionTable>(
  of: Command<Table>,
  args: readonly string[],
): Arguments<Table> {
  const known = Object.keys(of.options)
  const parsed = parseArgs({
    args: [...args],
    options: parseTable(of.options),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const options: Record<string, unknown> = {}
  const seen = new Set<string>()
  for (const [name, option] of Object.entries(of.options)) {
    options[name] = option.multiple ? [] : option.value === undefined ? false : option.default
  }
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue
    const option = of.options[token.name]
    if (option === undefined)
      throw new UsageError(
        `unknown option ${token.rawName}${suggest(ofKafka(token.name), known, "--")}; see: millrace ${of.name} --help`,
      )
    if (option.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`)
      options[token.name] = true
    } else if (token.value === undefined || (token.value === "" && !option.mayBeEmpty)) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value}`)
    } else if (option.multiple) {
      ;(options[token.name] as string[]).push(token.value)
    } else if (seen.has(token.name)) {
      throw new UsageError(`${token.rawName} is given twice: ${options[token.name]} and ${token.value}; choose one`)
    } else {
      seen.add(token.name)
      options[token.name] = token.value
    }
  }
  for (const [name, option] of Object.entries(of.options)) {
    if (option.required && options[name] === undefined)
      throw new UsageError(`millrace ${of.name} needs --${name} ${option.value}: ${option.help}`)
  }
  const count = parsed.positionals.length
  if (count < (of.positionalsMin ?? 0))
    throw new UsageError(`millrace ${of.name} needs ${of.positionals}; see: millrace ${of.name} --help`)
  if (count > (of.positionalsMax ?? 0)) {
    throw new UsageError(
      `unexpected argument ${parsed.positionals[of.positionalsMax ?? 0]}; see: millrace ${of.name} --help`,
    )
  }
  return { options: options as OptionValues<Table>, positionals: parsed.positionals }
}

/** What an option of Kafka's own tools is called here. */
const ofKafka = (name: string): string => (KAFKAS_BROKERS.has(name) ? "brokers" : name)
const KAFKAS_BROKERS: ReadonlySet<string> = new Set(["bootstrap-server", "bootstrap-servers", "broker-list"])

function parseTable(table: OptionTable): Record<string, { type: "string" | "boolean"; multiple?: boolean }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [
      name,
      {
        type: option.value === undefined ? ("boolean" as const) : ("string" as const),
        ...(option.multiple ? { multiple: true } : {}),
      },
    ]),
  )
}

/** The help text of one command. */
export function helpOf(of: Command): string {
  const lines = [
    of.summary,
    "",
    `  millrace ${of.name}${of.positionals ? ` ${of.positionals}` : ""}${Object.keys(of.options).length ? " [options]" : ""}`,
  ]
  const rows = Object.entries(of.options).map(([name, option]) => {
    const left = `--${name}${option.value ? ` ${option.value}` : ""}`
    const notes = [
      option.required ? "required" : "",
      option.default === undefined ? "" : `default ${option.default}`,
      option.multiple ? "may repeat" : "",
    ]
    const note = notes.filter((text) => text !== "").join(", ")
    return [left, note ? `${option.help} (${note})` : option.help] as const
  })
  if (rows.length > 0) {
    const width = Math.max(...rows.map(([left]) => left.length))
    lines.push("", ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`))
  }
  return lines.join("\n")
}

/** `; did you mean X?` for the known word nearest to a wrong one, or nothing when none is near. */
export function suggest(wrong: string, known: readonly string[], prefix = ""): string {
  const scored = known
    .map((word) => ({ word, distance: editDistance(wrong, word) }))
    .sort((a, b) => a.distance - b.distance)
  const best = scored[0]
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wrong.length / 3))
    ? `; did you mean ${prefix}${best.word}?`
    : ""
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    previous = row
  }
  return previous[b.length]!
}
