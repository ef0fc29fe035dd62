/**
 * One configuration entry: its Kafka name lives in the table, everything else here.
 *
 * An entry knows how to read its text form, how to print a value back in that form, and what to tell a person about
 * it. 64-bit values are numbers: what exceeds the safe range means "no limit" and prints as Kafka's largest long.
 */

/** The largest long Kafka prints; stands for "no limit". */
export const LONG_MAX_TEXT = "9223372036854775807"
/** How a limit that is never reached is held in memory. */
export const LONG_MAX = Number.MAX_SAFE_INTEGER

const INT_MIN = -(2 ** 31)
const INT_MAX = 2 ** 31 - 1

/** Kafka's type names, as DescribeConfigs and the documentation print them. */
export type ConfigType = "BOOLEAN" | "STRING" | "INT" | "SHORT" | "LONG" | "DOUBLE" | "LIST" | "CLASS" | "PASSWORD"
export type Importance = "HIGH" | "MEDIUM" | "LOW"
/** When a changed value takes effect: at the next start, on one broker, or on all. */
export type Dynamic = "read-only" | "per-broker" | "cluster-wide"

/** Another name that gives this entry its value when its own name is not set; numbers are multiplied by `scale`. */
export interface Synonym {
  readonly name: string
  readonly scale?: number
}

export interface EntryOptions<T> {
  /** Left out: the entry is required. Null: it is optional and has no value of its own. */
  readonly default?: T
  readonly doc: string
  readonly importance?: Importance
  readonly dynamic?: Dynamic
  readonly synonyms?: readonly (string | Synonym)[]
  /** Never printed, logged or described. */
  readonly secret?: boolean
  readonly example?: string
  /** Not shown in help and documentation. */
  readonly hidden?: boolean
  /** A further check of a read value: what is wrong with it, or undefined. */
  readonly check?: (value: Exclude<T, null>) => string | undefined
}

export interface Entry<T> {
  readonly type: ConfigType
  readonly default: T | undefined
  readonly required: boolean
  readonly doc: string
  readonly importance: Importance
  readonly dynamic: Dynamic
  readonly synonyms: readonly Synonym[]
  readonly secret: boolean
  readonly hidden: boolean
  readonly example: string | undefined
  /** What is allowed, for messages and help: "at least 1", "one of none, gzip". */
  readonly allowed: string
  /** Reads the text form; throws a RangeError whose message says what is wrong with it. */
  read(text: string): T
  /** Prints a value in the text form that `read` takes; null when there is no value. */
  print(value: T): string | null
}

/** How values of one type are read and printed. The constructors below pair it with the T of their options. */
interface Kind<V> {
  readonly type: ConfigType
  readonly allowed: string
  readonly read: (text: string) => V
  readonly print: (value: V) => string
}

function entry<T, V = unknown>(kind: Kind<V>, options: EntryOptions<T>): Entry<T> {
  return {
    type: kind.type,
    default: options.default,
    required: options.default === undefined,
    doc: options.doc,
    importance: options.importance ?? "MEDIUM",
    dynamic: options.dynamic ?? "read-only",
    synonyms: (options.synonyms ?? []).map((synonym) => (typeof synonym === "string" ? { name: synonym } : synonym)),
    secret: options.secret ?? kind.type === "PASSWORD",
    hidden: options.hidden ?? false,
    example: options.example,
    allowed: kind.allowed,
    read(text) {
      const value = kind.read(text)
      const wrong = options.check?.(value as Exclude<T, null>)
      if (wrong !== undefined) throw new RangeError(wrong)
      return value as unknown as T
    },
    print: (value) => (value === null ? null : kind.print(value as unknown as V)),
  }
}

/** A constructor whose entry is nullable exactly when its default is null. */
interface Constructor<V, O> {
  (options: EntryOptions<V> & O): Entry<V>
  (options: EntryOptions<V | null> & O): Entry<V | null>
}

export interface Range {
  readonly min?: number
  readonly max?: number
}

function numeric<T>(type: "INT" | "SHORT" | "LONG" | "DOUBLE", options: EntryOptions<T> & Range): Entry<T> {
  const min = options.min ?? (type === "INT" ? INT_MIN : type === "SHORT" ? -32_768 : undefined)
  const max = options.max ?? (type === "INT" ? INT_MAX : type === "SHORT" ? 32_767 : undefined)
  const allowed = describeRange(type === "DOUBLE" ? "a number" : "a whole number", options.min, options.max)
  const kind: Kind<number> = {
    type,
    allowed,
    read(text) {
      const value = type === "DOUBLE" ? readDouble(text) : readInteger(text)
      if (value === undefined || (min !== undefined && value < min) || (max !== undefined && value > max)) {
        throw new RangeError(`must be ${allowed}`)
      }
      return value
    },
    print: (value) => (type === "LONG" && value >= LONG_MAX ? LONG_MAX_TEXT : String(value)),
  }
  return entry<T, number>(kind, options)
}

function describeRange(noun: string, min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}`
  if (min !== undefined) return `${noun}, at least ${min}`
  return max === undefined ? noun : `${noun}, at most ${max}`
}

function readInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined
  const value = Number(text)
  return Math.max(-LONG_MAX, Math.min(LONG_MAX, value))
}

function readDouble(text: string): number | undefined {
  const value = text === "" ? Number.NaN : Number(text)
  return Number.isNaN(value) ? undefined : value
}

export const int: Constructor<number, Range> = <T>(options: EntryOptions<T> & Range) => numeric("INT", options)
export const short: Constructor<number, Range> = <T>(options: EntryOptions<T> & Range) => numeric("SHORT", options)
export const long: Constructor<number, Range> = <T>(options: EntryOptions<T> & Range) => numeric("LONG", options)
export const double: Constructor<number, Range> = <T>(options: EntryOptions<T> & Range) => numeric("DOUBLE", options)

export function boolean(options: EntryOptions<boolean>): Entry<boolean> {
  const allowed = "true or false"
  return entry<boolean, boolean>(
    {
      type: "BOOLEAN",
      allowed,
      read(text) {
        const lower = text.toLowerCase()
        if (lower !== "true" && lower !== "false") throw new RangeError(`must be ${allowed}`)
        return lower === "true"
      },
      print: String,
    },
    options,
  )
}

export const string: Constructor<string, unknown> = <T>(options: EntryOptions<T>) =>
  entry<T, string>(text("STRING", "text"), options)

/** The name of a Java class, which nothing here loads. */
export const className: Constructor<string, unknown> = <T>(options: EntryOptions<T>) =>
  entry<T, string>(text("CLASS", "text"), options)

/** A secret: read like text, never shown again. */
export const password: Constructor<string, unknown> = <T>(options: EntryOptions<T>) =>
  entry<T, string>(text("PASSWORD", "text"), options)

function text(type: ConfigType, allowed: string): Kind<string> {
  return { type, allowed, read: (value) => value, print: (value) => value }
}

export interface Words {
  /** Upper and lower case are the same. */
  readonly ignoresCase?: boolean
}

/** One of a fixed set of words; the type is their union. */
export function oneOf<const W extends string>(words: readonly W[], options: EntryOptions<NoInfer<W>> & Words): Entry<W>
export function oneOf<const W extends string>(
  words: readonly W[],
  options: EntryOptions<NoInfer<W> | null> & Words,
): Entry<W | null>
export function oneOf<T>(words: readonly string[], options: EntryOptions<T> & Words): Entry<T> {
  const folded = (word: string) => (options.ignoresCase ? word.toLowerCase() : word)
  const allowed = `one of ${words.join(", ")}`
  const kind: Kind<string> = {
    type: "STRING",
    allowed,
    read(value) {
      const word = words.find((one) => folded(one) === folded(value))
      if (word === undefined) throw new RangeError(`must be ${allowed}`)
      return word
    },
    print: (value) => value,
  }
  return entry<T, string>(kind, options)
}

export interface Members {
  /** The words a member may be; any text when left out. */
  readonly of?: readonly string[]
}

/** Comma-separated texts. */
export const list: Constructor<readonly string[], Members> = <T>(options: EntryOptions<T> & Members): Entry<T> => {
  const words = options.of
  const allowed = words ? `a comma-separated list of ${words.join(", ")}` : "a comma-separated list"
  const kind: Kind<readonly string[]> = {
    type: "LIST",
    allowed,
    read(value) {
      const members = value
        .split(",")
        .map((member) => member.trim())
        .filter((member) => member !== "")
      if (words && !members.every((member) => words.includes(member))) throw new RangeError(`must be ${allowed}`)
      return members
    },
    print: (members) => members.join(","),
  }
  return entry<T, readonly string[]>(kind, options)
}
