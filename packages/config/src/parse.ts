/**
 * Text settings in, typed values out. The first thing that is wrong is one error which names the key, the value, what
 * is allowed, and for an unknown key the nearest known one.
 */
import type { Entry } from "./entry.ts"
import type { ConfigTable, Values } from "./table.ts"

export class ConfigError extends Error {
  override readonly name = "ConfigError"
  readonly key: string
  constructor(key: string, message: string) {
    super(message)
    this.key = key
  }
}

export interface ParseOptions {
  /** What to do with a key the table lacks: refuse it (the default), or leave it to whoever knows it. */
  readonly unknown?: "reject" | "ignore"
}

export function parse<T extends ConfigTable>(
  table: T,
  settings: Readonly<Record<string, string>>,
  options: ParseOptions = {},
): Values<T> {
  if (options.unknown !== "ignore") {
    for (const key of Object.keys(settings)) if (!isKnown(table, key)) throw unknownKey(table, key)
  }
  const values: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(table)) values[name] = resolve(name, entry, settings)
  return values as Values<T>
}

/** Reads one setting; for changes of a single key. */
export function parseOne<T extends ConfigTable, N extends keyof T & string>(
  table: T,
  name: N,
  text: string,
): Values<T>[N] {
  const entry = table[name]
  if (entry === undefined) throw unknownKey(table, name)
  return readEntry(name, entry, text) as Values<T>[N]
}

/** The values of a table when nothing is set; required entries are left out. */
export function defaults<T extends ConfigTable>(table: T): Values<T> {
  const values: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(table)) if (!entry.required) values[name] = entry.default
  return values as Values<T>
}

function isKnown(table: ConfigTable, key: string): boolean {
  if (Object.hasOwn(table, key)) return true
  return Object.values(table).some((entry) => entry.synonyms.some((synonym) => synonym.name === key))
}

function resolve(name: string, entry: Entry<unknown>, settings: Readonly<Record<string, string>>): unknown {
  const own = settings[name]
  if (own !== undefined) return readEntry(name, entry, own)
  for (const { name: synonym, scale } of entry.synonyms) {
    const text = settings[synonym]
    if (text !== undefined) return readEntry(synonym, entry, scaled(text, scale))
  }
  if (entry.required) throw new ConfigError(name, `config ${name} is required: ${entry.doc}`)
  return entry.default
}

function readEntry(name: string, entry: Entry<unknown>, text: string): unknown {
  try {
    return entry.read(entry.type === "STRING" || entry.type === "PASSWORD" ? text : text.trim())
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const shown = entry.secret ? "its value" : JSON.stringify(text)
    throw new ConfigError(name, `config ${name}: ${shown} ${cause.message}`)
  }
}

/** A synonym in another unit, in the text form of the entry. What is not a number is left for the entry to refuse. */
export function scaled(text: string, scale: number | undefined): string {
  if (scale === undefined || !/^-?\d+$/.test(text.trim())) return text
  const value = Number(text)
  // A negative limit means "none" in every unit.
  return String(value < 0 ? value : value * scale)
}

export function unknownKey(table: ConfigTable, key: string): ConfigError {
  const nearest = nearestKey(Object.keys(table), key)
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`
  return new ConfigError(key, `unknown config ${key}${hint}`)
}

/** The known key of the same words, else the one with the fewest edits away if it is near enough to be a likely slip. */
export function nearestKey(known: readonly string[], key: string): string | undefined {
  const words = sortedWords(key)
  const reordered = known.find((candidate) => sortedWords(candidate) === words)
  if (reordered !== undefined) return reordered
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(key.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(candidate, key, bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

const sortedWords = (key: string): string => key.split(".").sort().join(".")

function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    let least = i
    for (let j = 1; j <= right.length; j++) {
      const substitution = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      const distance = Math.min(substitution, row[j]! + 1, next[j - 1]! + 1)
      next.push(distance)
      if (distance < least) least = distance
    }
    // Further rows only add to it.
    if (least >= limit) return limit
    row = next
  }
  return row[right.length]!
}
