/**
 * What members of a streams group and their leader tell each other through the group's user data.
 *
 * Processes of several versions of this library are in one group while it is deployed. Whatever is told says the version of
 * who tells it, and the oldest that understands it: fields are added, and who does not know one does without. So nobody has
 * to be told which version the others are of (`upgrade.from` in Kafka Streams). A version that old ones would misread raises
 * `UNDERSTOOD_SINCE`; then those who came first stay, and the newcomer is told, or tells itself, by name.
 */
import { PipelineError } from "../errors.ts"
import type { Plan } from "../topology/plan.ts"

const VERSION = 3
/** The oldest version that understands what this one tells. */
const UNDERSTOOD_SINCE = 3
/** The oldest version that this one understands. */
const OLDEST = 3

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

/** Why what was told is not understood, in words. */
export class OtherVersion {
  readonly reason: string
  constructor(who: string, version: unknown) {
    this.reason = `${who} speaks version ${String(version)} of the assignor, and this process version ${VERSION}`
  }
}

export const encodeMemberData = (data: MemberData): Uint8Array => encode(data)

export function decodeMemberData(bytes: Uint8Array | null): MemberData | OtherVersion {
  const told = decode(bytes)
  return told.isUnderstood
    ? (told.data as unknown as MemberData)
    : new OtherVersion(`process ${String(told.data["processId"])}`, told.version)
}

export const encodeNotice = (notice: Notice): Uint8Array => encode(notice)

export function decodeNotice(bytes: Uint8Array): Notice {
  const told = decode(bytes)
  if (told.isUnderstood) return told.data as unknown as Notice
  throw new PipelineError(`${new OtherVersion("the group's leader", told.version).reason}: ${ADVICE}`)
}

/** Of a newcomer. */
export const ADVICE = "stop the others first, or give this one its own applicationId"

const encode = (data: object): Uint8Array =>
  Buffer.from(JSON.stringify({ v: VERSION, since: UNDERSTOOD_SINCE, ...data }))

interface Told {
  readonly version: unknown
  readonly isUnderstood: boolean
  readonly data: Readonly<Record<string, unknown>>
}

function decode(bytes: Uint8Array | null): Told {
  const { v, since = v, ...data } = JSON.parse(Buffer.from(bytes ?? []).toString("utf8") || "{}")
  return { version: v, isUnderstood: v >= OLDEST && since <= VERSION, data }
}

/** Tells plans apart, protects nothing: FNV-1a, 32 bits. */
export function planFingerprint(plan: Plan): string {
  const text = JSON.stringify(plan)
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16)
}
