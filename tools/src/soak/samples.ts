/**
 * What a process holds, seen from outside: memory, descriptors by what they are, threads, CPU time.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

export interface Sample {
  /** Since the start of the soak. */
  readonly seconds: number
  readonly rssMb: number
  /** Of V8, and outside of it: buffers. Undefined before the process has told. */
  readonly heapMb: number | undefined
  readonly externalMb: number | undefined
  readonly threads: number
  readonly descriptors: Descriptors
  /** Acknowledged and read again so far. */
  readonly written: number
  readonly audited: number
}

export interface Descriptors {
  readonly sockets: number
  /** Files below the data directory. */
  readonly data: number
  /** Of files that have no name any more: whoever holds them has forgotten to let go. */
  readonly deleted: number
  readonly others: number
}

const MB = 1024 * 1024

export function sampleOf(
  pid: number,
  dataDir: string,
  heapFile: string,
): Omit<Sample, "seconds" | "written" | "audited"> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)![1])
  const heap = heapOf(heapFile)
  return {
    rssMb: field("VmRSS") / 1024,
    heapMb: heap && heap.heapUsed / MB,
    externalMb: heap && heap.external / MB,
    threads: field("Threads"),
    descriptors: descriptorsOf(pid, dataDir),
  }
}

export function descriptorsOf(pid: number, dataDir: string): Descriptors {
  const count = { sockets: 0, data: 0, deleted: 0, others: 0 }
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const target = linkOf(`/proc/${pid}/fd/${fd}`)
    if (target === undefined) continue
    if (target.endsWith(" (deleted)")) count.deleted++
    else if (target.startsWith("socket:")) count.sockets++
    else if (target.startsWith(`${dataDir}/`)) count.data++
    else count.others++
  }
  return count
}

export const totalOf = ({ sockets, data, deleted, others }: Descriptors): number => sockets + data + deleted + others

/** Undefined where it was closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function heapOf(file: string): { readonly heapUsed: number; readonly external: number } | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    return undefined
  }
}
