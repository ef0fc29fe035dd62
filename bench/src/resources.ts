/**
 * What the system counts of a process, all its threads together.
 */
import { readdirSync, readFileSync } from "node:fs"

const TICKS_PER_SECOND = 100

/** User and system time. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  // The second field, the name in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Files, sockets and all else that has a descriptor. */
export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Resident memory now. */
export const residentMbOf = (pid: number): number => statusMb(pid, "VmRSS")

/** The most that was ever resident. */
export const peakMbOf = (pid: number): number => statusMb(pid, "VmHWM")

const statusMb = (pid: number, field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024
