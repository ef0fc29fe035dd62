/**
 * The main job's output: one line that rewrites itself on a terminal, plain lines when piped.
 */
import type { WorstAirport } from "./result-file.ts"

const BAR_WIDTH = 30
const PLAIN_LINE_EVERY_MS = 2_000

export class Screen {
  readonly #terminal = process.stdout.isTTY === true
  #plainAt = -Infinity
  #open = false

  step(text: string): void {
    this.end()
    console.log(this.#terminal ? `\u001b[36m•\u001b[0m ${text}` : `- ${text}`)
  }

  progress(state: { counted: number; total: number; crashes: number; elapsedMs: number }): void {
    const filled = Math.min(BAR_WIDTH, Math.floor((state.counted / state.total) * BAR_WIDTH))
    const line = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${state.counted}/${state.total} flights counted, ${state.crashes} crashes, ${(state.elapsedMs / 1000).toFixed(1)} s`
    if (this.#terminal) {
      process.stdout.write(`\r\u001b[2K${line}`)
      this.#open = true
    } else if (state.elapsedMs - this.#plainAt >= PLAIN_LINE_EVERY_MS) {
      this.#plainAt = state.elapsedMs
      console.log(line)
    }
  }

  table(rows: readonly WorstAirport[]): void {
    this.end()
    console.log("\nThe ten worst airports by average delay (50 flights at least):\n")
    console.log(
      `${"".padEnd(5)}${"airport".padEnd(34)}${"flights".padStart(8)}${"late".padStart(7)}${"avg min".padStart(9)}${"worst".padStart(7)}`,
    )
    for (const row of rows) {
      const place = `${row.name}, ${row.city}`.slice(0, 33)
      console.log(
        `${row.airport.padEnd(5)}${place.padEnd(34)}${String(row.flights).padStart(8)}${String(row.late).padStart(7)}${row.average.toFixed(1).padStart(9)}${String(row.worst).padStart(7)}`,
      )
    }
    console.log()
  }

  /** Leaves the last progress line standing. */
  end(): void {
    if (this.#open) process.stdout.write("\n")
    this.#open = false
  }
}
