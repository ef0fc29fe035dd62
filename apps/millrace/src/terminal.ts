/**
 * Output for people and machines: aligned tables with colour on a terminal, plain text when piped, JSON on request.
 */
const colours = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined

const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)

export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)
export const cyan = paint(36)

export type Cell = string | number | null | undefined

/** Rows under headings; numbers are aligned to the right. Prints a note instead of an empty table. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  empty = "nothing to show",
): void {
  if (rows.length === 0) return console.log(dim(empty))
  const text = rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? "-" : String(cell))))
  const widths = headings.map((heading, column) => Math.max(heading.length, ...text.map((row) => row[column]!.length)))
  const numeric = headings.map((_, column) => rows.every((row) => typeof row[column] !== "string"))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd()
  console.log(bold(line(headings.map((heading) => heading.toUpperCase()))))
  for (const row of text) console.log(line(row))
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2))
}

/** A line that rewrites itself on a terminal; when piped, one line at most every `plainEveryMs`. */
export class Progress {
  readonly #plainEveryMs: number
  #printedAt = -Infinity
  constructor(plainEveryMs = 1_000) {
    this.#plainEveryMs = plainEveryMs
  }
  show(line: string): void {
    if (process.stdout.isTTY)
      return void process.stdout.write(`\r\u001b[2K${line.slice(0, (process.stdout.columns ?? 120) - 1)}`)
    const now = performance.now()
    if (now - this.#printedAt < this.#plainEveryMs) return
    this.#printedAt = now
    console.log(line)
  }
  /** Leaves the last line standing. */
  end(): void {
    if (process.stdout.isTTY) process.stdout.write("\n")
  }
}
