/**
 * Kafka's small text checkpoints: a version, a count, one entry a line. Replaced atomically, so that a crash leaves
 * the old or the new one.
 *
 *   0                       version
 *   2                       entries
 *   orders 0 1041           topic partition offset      (the three *-offset-checkpoint files)
 *   3 1041                  epoch start-offset          (leader-epoch-checkpoint)
 */
import { type Disk, writeFileAtomically } from "@millrace/host"
import { CorruptLogError } from "./faults.ts"

const VERSION = "0"

/** Offsets of partitions by "topic-partition". */
export type OffsetCheckpoint = Map<string, number>

/** Entries of a checkpoint split at blanks, or undefined when there is no such file. */
export function readCheckpoint(disk: Disk, path: string, fields: number): string[][] | undefined {
  const content = disk.readFile(path)
  if (content === undefined) return undefined
  const lines = new TextDecoder().decode(content).split("\n")
  if (lines.at(-1) === "") lines.pop()
  const fail = (reason: string): never => {
    throw new CorruptLogError(path, -1, `${reason}; remove the file to have it rebuilt`)
  }
  if (lines[0] !== VERSION) fail(`its version is ${JSON.stringify(lines[0] ?? "")}, only ${VERSION} is known`)
  const count = Number(lines[1])
  if (!Number.isSafeInteger(count) || lines.length !== count + 2) {
    fail(`it announces ${lines[1] ?? "no"} entries and holds ${Math.max(lines.length - 2, 0)}`)
  }
  return lines.slice(2).map((line, index) => {
    const parts = line.split(/\s+/)
    if (parts.length !== fields) fail(`line ${index + 3} does not have ${fields} fields`)
    return parts
  })
}

export function writeCheckpoint(disk: Disk, path: string, entries: readonly string[]): void {
  const text = `${VERSION}\n${entries.length}\n${entries.map((entry) => `${entry}\n`).join("")}`
  writeFileAtomically(disk, path, new TextEncoder().encode(text))
}

/** undefined when there is no such file. */
export function readOffsets(disk: Disk, path: string): OffsetCheckpoint | undefined {
  const entries = readCheckpoint(disk, path, 3)
  if (entries === undefined) return undefined
  const offsets: OffsetCheckpoint = new Map()
  for (const [topic, partition, offset] of entries) offsets.set(`${topic}-${partition}`, integer(path, offset!))
  return offsets
}

export function writeOffsets(disk: Disk, path: string, offsets: ReadonlyMap<string, number>): void {
  const entries: string[] = []
  for (const [name, offset] of [...offsets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const dash = name.lastIndexOf("-")
    entries.push(`${name.slice(0, dash)} ${name.slice(dash + 1)} ${offset}`)
  }
  writeCheckpoint(disk, path, entries)
}

/** Parses an integer field of a checkpoint. */
export function integer(path: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new CorruptLogError(path, -1, `${JSON.stringify(text)} is not an integer`)
  return value
}
