/**
 * Output for people and machines: aligned tables with colour on a terminal, plain text when piped, JSON on request.
 */
type Output = Pick<typeof process.stdout, "isTTY">

const paint =
  (code: number) =>
  (text: string, on: Output = process.stdout): string =>
    on.isTTY === true && process.env["NO_COLOR"] === undefined ? `\u001b[${code}m${text}\u001b[0m` : text

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

/** Lines that rewrite themselves on a terminal, none wider or higher than it. */
export class LiveBlock {
  #height = 0

  show(lines: readonly string[]): void {
    const { columns, rows } = process.stdout
    // A terminal that nobody gave a size says 0.
    const shown = lines.slice(0, (rows || 40) - 1).map((line) => clipped(line, (columns || 120) - 1))
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : ""
    process.stdout.write(`${up}\r\u001b[J${shown.join("\n")}\n`)
    this.#height = shown.length
  }
}

/** The first characters that a terminal shows of a text, which may hold colours. */
export function clipped(text: string, width: number): string {
  let shown = 0
  let out = ""
  for (const part of text.match(ESCAPES_OR_TEXT) ?? []) {
    if (part.startsWith("\u001b")) out += part
    else if (shown < width) {
      out += part
      shown++
    }
  }
  return out
}

// eslint-disable-next-line no-control-regex -- an escape sequence begins with a control character.
const ESCAPES_OR_TEXT = /\u001b\[\d+m|[^]/gu
