/**
 * What members of a streams group and their leader tell each other through the group's user data.
 */
import { PipelineError } from "../errors.ts"
import type { Plan } from "../topology/plan.ts"

const VERSION = 3

/** From every member, with its subscription. */
export interface MemberData {
  readonly processId: string
  readonly worker: number
  readonly fingerprint: string
  /** It has not had an assignment since it was started. */
  readonly isNew: boolean
  /** By task: the sum of the offsets that its state reaches in its changelogs. */
  readonly positions: Readonly<Record<string, number>>
  readonly standing: readonly string[]
  readonly tags: Readonly<Record<string, string>>
  /** The name of its own assignor, if it has one. */
  readonly assignor?: string
  /** HOST:PORT where it answers queries. */
  readonly endpoint?: string
}

/** What there is of tasks where queries are answered: their names by endpoint. */
export type TaskEndpoints = Readonly<Record<string, TasksThere>>

export interface TasksThere {
  /** They run there. */
  readonly active: readonly string[]
  /** There is a copy of their state, warming up or standing by. */
  readonly standby: readonly string[]
}

/** What a member learns beside the partitions that it is to read. */
export interface AssignedCopies {
  /** Tasks to keep copies of. */
  readonly standby: readonly string[]
  /** Those among them that are to become active here. */
  readonly warmup: readonly string[]
  /** Why this member cannot take part; it gets nothing. */
  readonly refused?: string
  /** Made for another plan than ours, or by another than our leader. Not sent. */
  readonly isForeign?: boolean
}

/** From the leader, with the assignment. */
export interface Notice extends AssignedCopies {
  /** Of the plan that the assignment was made for. */
  readonly fingerprint: string
  /** Others wait for this member to join again. */
  readonly awaited: boolean
  readonly endpoints: TaskEndpoints
  /** The assignor that this member named, empty for none. */
  readonly assignor?: string
}

export const encodeMemberData = (data: MemberData): Uint8Array => Buffer.from(JSON.stringify({ v: VERSION, ...data }))

export function decodeMemberData(bytes: Uint8Array | null): MemberData {
  const { v, ...data } = JSON.parse(Buffer.from(bytes ?? []).toString("utf8") || "{}")
  if (v !== VERSION)
    throw new PipelineError(`a member of the group speaks version ${v} of the assignor, this is ${VERSION}`)
  return data
}

export const encodeNotice = (notice: Notice): Uint8Array => Buffer.from(JSON.stringify({ v: VERSION, ...notice }))

export function decodeNotice(bytes: Uint8Array): Notice {
  const { v, ...notice } = JSON.parse(Buffer.from(bytes).toString("utf8"))
  if (v !== VERSION)
    throw new PipelineError(`the group's leader speaks version ${v} of the assignor, this is ${VERSION}`)
  return notice
}

/** Tells plans apart, protects nothing: FNV-1a, 32 bits. */
export function planFingerprint(plan: Plan): string {
  const text = JSON.stringify(plan)
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16)
}
