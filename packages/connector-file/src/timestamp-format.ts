/**
 * Reads points in time out of text or numbers, without a calendar library or the clock.
 *
 * A format is `iso-8601`, `epoch-ms`, `epoch-s`, or a pattern in Java's letters: yyyy MM dd HH mm ss SSS, XXX for a zone
 * such as +02:00 or Z, quoted 'literals'; everything else stands for itself. Times without a zone are UTC.
 */

/** Milliseconds since the epoch, or undefined when the value is not of the format. */
export type TimestampReader = (value: unknown) => number | undefined

export type FormatResult = { readonly read: TimestampReader } | { readonly wrong: string }

const MS_PER_DAY = 86_400_000

const LETTERS: Readonly<Record<string, string>> = {
  yyyy: "(?<year>\\d{4})",
  MM: "(?<month>\\d{2})",
  M: "(?<month>\\d{1,2})",
  dd: "(?<day>\\d{2})",
  d: "(?<day>\\d{1,2})",
  HH: "(?<hour>\\d{2})",
  H: "(?<hour>\\d{1,2})",
  mm: "(?<minute>\\d{2})",
  ss: "(?<second>\\d{2})",
  SSS: "(?<milli>\\d{3})",
  XXX: "(?<zone>Z|[+-]\\d{2}:\\d{2})",
}

const ISO =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[T ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<milli>\d{1,9}))?)?)?(?<zone>Z|[+-]\d{2}:?\d{2})?$/

export function timestampFormat(format: string): FormatResult {
  if (format === "epoch-ms") return { read: (value) => scaledNumber(value, 1) }
  if (format === "epoch-s") return { read: (value) => scaledNumber(value, 1000) }
  if (format === "iso-8601") return { read: (value) => readMatch(ISO, value) }
  const pattern = compile(format)
  return typeof pattern === "string" ? { wrong: pattern } : { read: (value) => readMatch(pattern, value) }
}

function compile(format: string): RegExp | string {
  let source = ""
  let rest = format
  const seen = new Set<string>()
  while (rest !== "") {
    const quoted = /^'((?:[^']|'')*)'/.exec(rest)
    const letters = /^([A-Za-z])\1*/.exec(rest)
    if (quoted) source += literal(quoted[1] === "" ? "'" : quoted[1]!.replaceAll("''", "'"))
    else if (letters) {
      const group = LETTERS[letters[0]]
      if (!group) return `${letters[0]} is not one of ${Object.keys(LETTERS).join(" ")}`
      if (seen.has(letters[0][0]!)) return `${letters[0]} appears twice`
      seen.add(letters[0][0]!)
      source += group
    } else source += literal(rest[0]!)
    rest = rest.slice(quoted?.[0].length ?? letters?.[0].length ?? 1)
  }
  return seen.has("y") ? new RegExp(`^${source}$`) : "a format needs at least yyyy"
}

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)

function scaledNumber(value: unknown, scale: number): number | undefined {
  const number = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== "number") return undefined
  const ms = Math.floor(number * scale)
  return Number.isSafeInteger(ms) ? ms : undefined
}

function readMatch(pattern: RegExp, value: unknown): number | undefined {
  const groups = typeof value === "string" ? pattern.exec(value)?.groups : undefined
  if (!groups) return undefined
  const part = (name: string, whenAbsent: number) => Number(groups[name] ?? whenAbsent)
  const year = part("year", 1970)
  const month = part("month", 1)
  const day = part("day", 1)
  const hour = part("hour", 0)
  const minute = part("minute", 0)
  const second = part("second", 0)
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const milli = Number((groups["milli"] ?? "").padEnd(3, "0").slice(0, 3))
  const ms = daysFromEpoch(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + milli
  return ms - zoneMs(groups["zone"])
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; years are counted from March so that leap days come last. */
function daysFromEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
