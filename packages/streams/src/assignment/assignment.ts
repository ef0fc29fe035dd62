/**
 * Which member of the group runs which task, and who keeps copies of its state: a pure function of who is there, what they
 * run, and how far the state goes that they have.
 *
 *     target    balanced and sticky, with less traffic between racks if that counts: where every task should run
 *     active    the target, unless its state there lags too far behind: then who has it goes on, and the target warms up
 *     standby   copies on other processes, on other racks first
 *
 * Members are worker threads; a process has one or several, and its state is theirs together. Balanced: members' counts
 * of active tasks differ by at most one in the target, those of tasks with state too. Ties are broken by the members'
 * stable names, so that every leader decides alike. After KIP-441 (warm-up), KIP-708 and KIP-925 (racks).
 */
import { activeTargets, type Targets } from "./assign-active.ts"
import { assignStandbys } from "./assign-standby.ts"
import { lessTraffic, weighsTraffic } from "./rack-traffic.ts"

export interface AssignedTask {
  readonly name: string
  /** Tasks of one sub-topology are spread. */
  readonly subtopology: number
  /** Records that a process without any of its state would read; 0 where it has none. */
  readonly stateRecords: number
  readonly isStateful: boolean
  /** Of each input partition the rack that its leader is on; those of brokers that tell none are left out. */
  readonly inputRacks: readonly string[]
  /** The same of its changelogs. */
  readonly changelogRacks: readonly string[]
}

export interface AssignedMember {
  readonly id: string
  /** The same across restarts: orders members. */
  readonly stableName: string
  readonly processId: string
  /** Where it stands: what differs should hold copies (KIP-708). */
  readonly tags: Readonly<Record<string, string>>
  /** The rack that its process is on (`client.rack`), if that is known. */
  readonly rack: string | undefined
  readonly running: readonly string[]
  /** Copies that it keeps up to date. */
  readonly standing: readonly string[]
  /** Of tasks with state in its process: how many records that lacks. */
  readonly lags: ReadonlyMap<string, number>
}

/** How traffic between racks counts (KIP-925). */
export type RackAwareAssignmentStrategy = "none" | "min-traffic" | "balance-subtopology"

/** Names are Kafka Streams' where it has them. */
export interface AssignmentRules {
  /** Copies of every task's state beside the active one. */
  readonly standbyReplicas: number
  /** State that lacks no more than so many records is good enough to take the task over. */
  readonly acceptableRecoveryLag: number
  /** Tasks that warm up at the same time. */
  readonly maxWarmupReplicas: number
  /** Names of tags in which copies should differ. */
  readonly rackAwareAssignmentTags: readonly string[]
  readonly rackAwareAssignmentStrategy: RackAwareAssignmentStrategy
  /** Of each partition that is read across racks by a task with state. */
  readonly rackAwareAssignmentTrafficCost: number
  /** Of each task with state that is elsewhere than now. */
  readonly rackAwareAssignmentNonOverlapCost: number
}

/** Names of tasks by member. Every member is there. */
export interface Assignment {
  readonly active: ReadonlyMap<string, readonly string[]>
  /** Copies, those that warm up among them. */
  readonly standby: ReadonlyMap<string, readonly string[]>
  /** Copies that become active once they are good enough. */
  readonly warmup: ReadonlyMap<string, readonly string[]>
}

/** What a process lacks that has the task running: less than whoever has read everything. */
const RUNNING_LAG = -1

export class Group {
  readonly members: readonly AssignedMember[]
  readonly processes: ReadonlyMap<string, readonly AssignedMember[]>
  readonly rules: AssignmentRules
  readonly #runner = new Map<string, AssignedMember>()
  readonly #standing = new Map<string, Set<string>>()
  readonly #lags = new Map<string, Map<string, number>>()

  constructor(members: readonly AssignedMember[], rules: AssignmentRules) {
    this.members = members.toSorted((left, right) => (left.stableName < right.stableName ? -1 : 1))
    this.processes = Map.groupBy(this.members, ({ processId }) => processId)
    this.rules = rules
    for (const member of this.members) {
      for (const task of member.running) this.#runner.set(task, member)
      for (const task of member.standing)
        this.#standing.set(task, (this.#standing.get(task) ?? new Set()).add(member.id))
      const lags = this.#lags.get(member.processId) ?? new Map<string, number>()
      for (const [task, lag] of member.lags) lags.set(task, Math.min(lag, lags.get(task) ?? Infinity))
      this.#lags.set(member.processId, lags)
    }
    for (const [task, { processId }] of this.#runner) this.#lags.get(processId)!.set(task, RUNNING_LAG)
  }

  runner(task: string): AssignedMember | undefined {
    return this.#runner.get(task)
  }

  /** Members of a process stand on one rack. */
  rack(processId: string): string | undefined {
    return this.processes.get(processId)?.[0]?.rack
  }

  isStanding(member: AssignedMember, task: string): boolean {
    return this.#standing.get(task)?.has(member.id) ?? false
  }

  hasState(processId: string, task: string): boolean {
    return this.#lags.get(processId)!.has(task)
  }

  /** Records that the process would read before it could run the task; what is good enough counts as nothing. */
  lag(processId: string, task: AssignedTask): number {
    const lag = this.#lags.get(processId)!.get(task.name) ?? task.stateRecords
    return lag <= this.rules.acceptableRecoveryLag ? 0 : lag
  }
}

export function assignTasks(
  tasks: readonly AssignedTask[],
  members: readonly AssignedMember[],
  rules: AssignmentRules,
): Assignment {
  const group = new Group(members, rules)
  const dealt = activeTargets(tasks, group)
  const targets = weighsTraffic(group) ? lessTraffic(tasks, group, dealt) : dealt
  const { active, warming } = placeActive(tasks, group, targets)
  const standby = assignStandbys(tasks, group, { active, warming })
  const warmup = collect(group, warming)
  return {
    active: collect(group, active),
    standby: new Map(group.members.map(({ id }) => [id, [...(standby.get(id) ?? []), ...warmup.get(id)!]])),
    warmup,
  }
}

/** Where tasks run now: at their target, or where their state is until the target has warmed up. */
function placeActive(tasks: readonly AssignedTask[], group: Group, targets: Targets) {
  const active = new Map<string, AssignedMember>()
  const waiting: AssignedTask[] = []
  for (const task of tasks) {
    const target = targets.get(task.name)
    if (target === undefined) continue
    const holder = task.isStateful ? bestHolder(task, group, target) : target
    active.set(task.name, holder)
    if (holder.processId !== target.processId) waiting.push(task)
  }
  // What has begun to warm up goes on, before others begin.
  const hasBegun = (task: AssignedTask) => group.isStanding(targets.get(task.name)!, task.name)
  const inTurn = waiting.toSorted((left, right) => Number(hasBegun(right)) - Number(hasBegun(left)))
  const warming = new Map(
    inTurn.slice(0, group.rules.maxWarmupReplicas).map(({ name }) => [name, targets.get(name)!] as const),
  )
  return { active, warming }
}

/** The target, unless another process lacks less: of that one the member that runs it, has its copy, or comes first. */
function bestHolder(task: AssignedTask, group: Group, target: AssignedMember): AssignedMember {
  const lagAt = group.lag(target.processId, task)
  if (lagAt === 0) return target
  let best = target.processId
  for (const processId of group.processes.keys()) {
    if (group.lag(processId, task) < group.lag(best, task)) best = processId
  }
  // Nearly as much to read elsewhere is no reason to move twice.
  if (lagAt - group.lag(best, task) <= group.rules.acceptableRecoveryLag) return target
  const of = group.processes.get(best)!
  const runner = group.runner(task.name)
  if (runner !== undefined && runner.processId === best) return runner
  return of.find((member) => group.isStanding(member, task.name)) ?? of[0]!
}

function collect(group: Group, placed: ReadonlyMap<string, AssignedMember>): Map<string, string[]> {
  const byMember = new Map<string, string[]>(group.members.map(({ id }) => [id, []]))
  for (const [task, { id }] of placed) byMember.get(id)!.push(task)
  return byMember
}

/**
 * The first step of a cooperative rebalance: what another member still runs is nobody's until it has been given up; its
 * giving up makes the second. Until then who will get it reads its changelog.
 */
export function withholdMoving(assignment: Assignment, members: readonly AssignedMember[]): Assignment {
  const runners = runnersOf(members)
  const processes = new Map(members.map(({ id, processId }) => [id, processId]))
  const isFree = (id: string, task: string) => (runners.get(task) ?? id) === id
  const { active: assigned, standby, warmup } = assignment
  const active = new Map([...assigned].map(([id, tasks]) => [id, tasks.filter((task) => isFree(id, task))]))
  // Two members of one process have one copy of the state between them.
  const mayRead = (id: string, task: string) => processes.get(runners.get(task)!) !== processes.get(id)
  const standbys = new Map(
    [...standby].map(([id, tasks]) => {
      const coming = assigned.get(id)!.filter((task) => !isFree(id, task) && mayRead(id, task))
      return [id, [...tasks, ...coming]]
    }),
  )
  return { active, standby: standbys, warmup }
}

/** Who runs what others were assigned: they must give it up and join again. */
export function awaitedMembers(
  active: ReadonlyMap<string, readonly string[]>,
  members: readonly AssignedMember[],
): Set<string> {
  const owner = new Map([...active].flatMap(([id, tasks]) => tasks.map((task) => [task, id] as const)))
  const gives = ({ id, running }: AssignedMember) => running.some((task) => (owner.get(task) ?? id) !== id)
  return new Set(members.filter(gives).map(({ id }) => id))
}

const runnersOf = (members: readonly AssignedMember[]): Map<string, string> =>
  new Map(members.flatMap(({ id, running }) => running.map((task) => [task, id] as const)))
