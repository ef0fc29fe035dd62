/**
 * What the clients write: lines of exactly so many bytes, which look like JSON and compress to about a third, as events do.
 */
import { writeFileSync } from "node:fs"
import * as path from "node:path"

/** Of a file: more than a codec's window, less than a processor's caches hold. */
const FILE_BYTES = 2_000_000

export interface Payloads {
  readonly file: string
  readonly lines: number
}

export function writePayloads(directory: string, valueBytes: number): Payloads {
  const file = path.join(directory, `values-${valueBytes}.json`)
  const lines = Math.round(FILE_BYTES / (valueBytes + 1))
  writeFileSync(file, Array.from({ length: lines }, (_, n) => lineOf(n, valueBytes)).join(""))
  return { file, lines }
}

/** Numbers that differ from line to line in an object whose names do not. */
function lineOf(n: number, valueBytes: number): string {
  let fields = `{"id":${n}`
  for (let field = 0; fields.length < valueBytes; field++) {
    fields += `,"field${field}":"${(Math.imul(n * 31 + field, 0x9e3779b1) >>> 0).toString(36)}"`
  }
  return `${fields.slice(0, valueBytes - 2)}"}\n`
}
