/**
 * Starts an application over, in the manner of Kafka's application reset tool: its input is read again from where it is
 * told, and what it made for itself (changelogs, repartition topics, local state) goes.
 *
 * `planReset` looks and answers what would happen; `applyReset` does it. The order makes a reset that was interrupted safe
 * to repeat: internal topics go first, since state without them is rebuilt, then the group with all of its offsets, then the
 * input's offsets are written anew. Output topics are left alone: what is written again is there twice.
 *
 * An application with members is refused, and shown what would happen. One that was killed has its members until their session
 * ends.
 */
import { type Admin, ErrorCode, KafkaError, OffsetSpec, type TopicPartitionOffset } from "@millrace/client"
import type { Disk } from "@millrace/host"
import { PipelineError, StateError } from "../errors.ts"

/** Where the input is read again from; a number is milliseconds of the epoch. */
export type ResetTarget = "earliest" | "latest" | number

export interface ResetOptions {
  readonly applicationId: string
  /** Topics to read again; default all that the application has offsets of, its internal ones excepted. */
  readonly inputTopics?: readonly string[]
  readonly target: ResetTarget
  /** `<state>/<application>` of this machine, if it is to go too. */
  readonly stateDirectory?: string
}

export interface ResetPlan {
  readonly applicationId: string
  readonly offsets: ReadonlyArray<TopicPartitionOffset & { readonly before: number | undefined }>
  readonly internalTopics: readonly string[]
  /** The group exists and is deleted, which forgets all of its offsets. */
  readonly hasGroup: boolean
  readonly stateDirectory: string | undefined
  readonly stateFiles: readonly string[]
  /** Who has the state directory open on this machine. */
  readonly stateHolder: string | undefined
  /** Of the group: the application runs while it has some. */
  readonly members: readonly string[]
}

/** What a topic that an application makes for itself ends with; the second two are Kafka Streams' foreign-key joins. */
const INTERNAL_SUFFIXES = [
  "-changelog",
  "-repartition",
  "-subscription-registration-topic",
  "-subscription-response-topic",
]
const STATE_FILE = /^state\.lmdb/

export async function planReset(admin: Admin, disk: Disk, options: ResetOptions): Promise<ResetPlan> {
  const { applicationId, stateDirectory } = options
  const members = await membersOf(admin, applicationId)
  const hasGroup = members !== undefined
  const topics = await admin.listTopics()
  // Of applications "a" and "a-b", "a-b-counts-changelog" is the second's.
  const others = (await admin.listGroups()).map(({ groupId }) => `${groupId}-`)
  const longer = others.filter((prefix) => prefix.startsWith(`${applicationId}-`) && prefix !== `${applicationId}-`)
  const isInternal = (topic: string) =>
    topic.startsWith(`${applicationId}-`) &&
    INTERNAL_SUFFIXES.some((suffix) => topic.endsWith(suffix)) &&
    !longer.some((prefix) => topic.startsWith(prefix))
  const internalTopics = topics.filter(isInternal).sort()
  const committed = hasGroup ? await admin.listGroupOffsets(applicationId) : []
  const read = [...new Set(committed.map(({ topic }) => topic))].filter((topic) => !isInternal(topic))
  const inputs = options.inputTopics ?? read.filter((topic) => topics.includes(topic))
  const unknown = inputs.find((topic) => !topics.includes(topic))
  if (unknown !== undefined) throw new PipelineError(`topic "${unknown}" does not exist`)
  const own = inputs.find(isInternal)
  if (own !== undefined) throw new PipelineError(`topic "${own}" is internal to ${applicationId}: it is deleted`)
  const before = new Map(committed.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
  const targets = await targetOffsets(admin, inputs, options.target)
  return {
    applicationId,
    offsets: targets.map((one) => ({ ...one, before: before.get(`${one.topic}-${one.partition}`) })),
    internalTopics,
    hasGroup,
    stateDirectory,
    stateFiles: stateFiles(disk, stateDirectory),
    stateHolder: holderOf(disk, stateDirectory),
    members: members ?? [],
  }
}

/** Why a plan must not be done now; undefined when nothing of the application runs. */
export function whyNotNow(plan: Pick<ResetPlan, "applicationId" | "members" | "stateHolder" | "stateDirectory">) {
  const { applicationId, members, stateHolder, stateDirectory } = plan
  if (members.length > 0)
    return `application ${applicationId} is running (${members.join(", ")}): stop it first; a process that was killed is counted until its session ends`
  if (stateHolder !== undefined) return `state directory ${stateDirectory} is in use by ${stateHolder}: stop it first`
  return undefined
}

/** Undefined when there is no group at all. */
async function membersOf(admin: Admin, applicationId: string): Promise<string[] | undefined> {
  const [group] = await admin.describeGroups([applicationId]).catch((error: unknown) => {
    if (error instanceof KafkaError && error.code === ErrorCode.GROUP_ID_NOT_FOUND) return []
    throw error
  })
  const isClassic = group !== undefined && group.state !== "Dead"
  const members = isClassic ? group.members : (await admin.describeStreamsGroup(applicationId))?.members
  return members && [...new Set(members.map(({ clientId, host }) => `${clientId} at ${host}`))]
}

async function targetOffsets(admin: Admin, topics: readonly string[], target: ResetTarget) {
  const described = topics.length === 0 ? [] : await admin.describeTopics(topics)
  const partitions = described.flatMap(({ name, partitions: all }) =>
    all.map((_, partition) => ({ topic: name, partition })),
  )
  if (partitions.length === 0) return []
  const at = (timestamp: number) => admin.listOffsets(partitions.map((one) => ({ ...one, timestamp })))
  const found = await at(typeof target === "number" ? target : OffsetSpec[target])
  // No record is that young: then it is the end.
  const ends = found.some(({ offset }) => offset < 0) ? await at(OffsetSpec.latest) : []
  return found.map(({ topic, partition, offset }) => {
    const end = ends.find((one) => one.topic === topic && one.partition === partition)?.offset
    return { topic, partition, offset: offset < 0 ? end! : offset }
  })
}

function stateFiles(disk: Disk, directory: string | undefined): string[] {
  if (directory === undefined || !disk.exists(directory)) return []
  const files = disk.list(directory).filter((name) => STATE_FILE.test(name))
  return files.map((name) => `${directory}/${name}`)
}

function holderOf(disk: Disk, directory: string | undefined): string | undefined {
  if (directory === undefined || !disk.exists(directory)) return undefined
  const lock = disk.lock(`${directory}/.lock`)
  if (!lock.held) return lock.holder
  lock.release()
  return undefined
}

/** Does what the plan says, unless the application runs now. */
export async function applyReset(admin: Admin, disk: Disk, plan: ResetPlan): Promise<void> {
  const { applicationId, stateDirectory } = plan
  const members = (await membersOf(admin, applicationId)) ?? []
  const fault = whyNotNow({ applicationId, stateDirectory, members, stateHolder: holderOf(disk, stateDirectory) })
  if (fault !== undefined) throw new StateError(fault)
  if (plan.internalTopics.length > 0) await admin.deleteTopics(plan.internalTopics)
  for (const file of plan.stateFiles) disk.remove(file)
  if (plan.hasGroup) await admin.deleteGroups([applicationId])
  if (plan.offsets.length > 0) await admin.alterGroupOffsets(applicationId, plan.offsets)
}
