/**
 * The sticky task assignor (KIP-1071): tasks stay where they were, as far as no member gets more than its share; the rest
 * goes to the process with the least load, and there to the thread with the fewest tasks.
 *
 * Pure and total: every task is active at exactly one member. A standby never shares a process with the task's active or
 * with another standby of it; with too few processes there are fewer standbys.
 */
import type { Partitions } from "../consumer/partitions.ts"
import { partitionsOf } from "../consumer/partitions.ts"
import { noTasks, taskKey, type Tasks } from "./tasks.ts"

export interface TaskAssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly processId: string
  /** Its target so far. */
  readonly target: Tasks
}

export interface TaskAssignorTopology {
  readonly taskCounts: ReadonlyMap<string, number>
  readonly stateful: ReadonlySet<string>
}

interface Task {
  readonly subtopologyId: string
  readonly partition: number
}

class Process {
  readonly members: Worker[] = []
  readonly tasks = new Set<string>()

  get load(): number {
    return this.members.reduce((sum, { count }) => sum + count, 0) / this.members.length
  }
}

class Worker {
  readonly memberId: string
  readonly process: Process
  readonly active: Task[] = []
  readonly standby: Task[] = []

  constructor(memberId: string, process: Process) {
    this.memberId = memberId
    this.process = process
    process.members.push(this)
  }

  get count(): number {
    return this.active.length + this.standby.length
  }

  take(task: Task, role: "active" | "standby"): void {
    this[role].push(task)
    this.process.tasks.add(taskKey(task.subtopologyId, task.partition))
  }

  hasTask({ subtopologyId, partition }: Task): boolean {
    return this.process.tasks.has(taskKey(subtopologyId, partition))
  }
}

/** What a member may have at most. When one reaches it, the others share what is left. */
class Quota {
  #tasks: number
  #members: number
  perMember: number

  constructor(tasks: number, members: number) {
    this.#tasks = tasks
    this.#members = members
    this.perMember = this.#share()
  }

  taken(count: number): void {
    if (count !== this.perMember) return
    this.#members--
    this.#tasks -= count
    this.perMember = this.#share()
  }

  #share(): number {
    return this.#members === 0 ? 0 : Math.ceil(this.#tasks / this.#members)
  }
}

export function assignTasks(
  given: readonly TaskAssignorMember[],
  { taskCounts, stateful }: TaskAssignorTopology,
  standbyReplicas: number,
): ReadonlyMap<string, Tasks> {
  if (given.length === 0) return new Map()
  const members = inOrder(given)
  const processes = new Map<string, Process>()
  const workers = members.map(({ memberId, processId }) => {
    const process = processes.get(processId) ?? new Process()
    processes.set(processId, process)
    return new Worker(memberId, process)
  })
  const before = {
    active: previous(members, workers, "active"),
    standby: previous(members, workers, "standby"),
  }
  const tasks = [...taskCounts].flatMap(([subtopologyId, count]) =>
    Array.from({ length: count }, (_, partition): Task => ({ subtopologyId, partition })),
  )
  const kept = tasks.filter(({ subtopologyId }) => stateful.has(subtopologyId))
  const quotas = {
    active: new Quota(tasks.length, workers.length),
    all: new Quota(tasks.length + kept.length * standbyReplicas, workers.length),
  }
  const give = (worker: Worker, task: Task, role: "active" | "standby") => {
    worker.take(task, role)
    if (role === "active") quotas.active.taken(worker.count)
    quotas.all.taken(worker.count)
  }

  let open = tasks.toSorted(byPartition)
  const stay = (candidateOf: (task: Task) => Worker | undefined) => {
    open = open.filter((task) => {
      const candidate = candidateOf(task)
      if (candidate === undefined || candidate.count >= quotas.active.perMember) return true
      give(candidate, task, "active")
      return false
    })
  }
  stay((task) => before.active.get(keyOf(task))?.[0])
  // A standby has the state: it is next best.
  stay((task) => leastLoaded(before.standby.get(keyOf(task)) ?? []))
  for (const task of open.toSorted(bySubtopology)) give(freest([...processes.values()]), task, "active")

  const unplaced: Task[] = []
  for (const task of kept.toSorted(byPartition).toReversed()) {
    for (let replica = 0; replica < standbyReplicas; replica++) {
      const isOpen = (worker: Worker) => !worker.hasTask(task)
      const former = before.active.get(keyOf(task))?.find(isOpen)
      const standby = leastLoaded((before.standby.get(keyOf(task)) ?? []).filter(isOpen))
      const candidate = [former, standby].find((one) => one !== undefined && one.count < quotas.all.perMember)
      if (candidate === undefined) unplaced.push(task)
      else give(candidate, task, "standby")
    }
  }
  for (const task of unplaced.toSorted(bySubtopology).toReversed()) {
    const others = [...processes.values()].filter((process) => !process.tasks.has(keyOf(task)))
    if (others.length > 0) give(freest(others), task, "standby")
  }
  return new Map(
    workers.map(({ memberId, active, standby }) => [
      memberId,
      { ...noTasks, active: partitions(active), standby: partitions(standby) },
    ]),
  )
}

/** Who had each task in a role. */
function previous(members: readonly TaskAssignorMember[], workers: readonly Worker[], role: "active" | "standby") {
  const found = new Map<string, Worker[]>()
  members.forEach(({ target }, at) => {
    for (const [subtopologyId, indexes] of target[role]) {
      for (const partition of indexes) {
        const key = taskKey(subtopologyId, partition)
        found.set(key, [...(found.get(key) ?? []), workers[at]!])
      }
    }
  })
  return found
}

function leastLoaded(workers: readonly Worker[]): Worker | undefined {
  let best: Worker | undefined
  for (const worker of workers)
    if (best === undefined || (worker.process.load < best.process.load && worker.count < best.count)) best = worker
  return best
}

/** The thread with the fewest tasks, of the process with the least load. */
function freest(processes: readonly Process[]): Worker {
  const process = processes.reduce((best, one) => (one.load < best.load ? one : best))
  return process.members.reduce((best, one) => (one.count < best.count ? one : best))
}

/** An order that restarts do not change where members have instance ids. */
function inOrder(members: readonly TaskAssignorMember[]): TaskAssignorMember[] {
  const name = ({ instanceId, memberId }: TaskAssignorMember) => instanceId ?? memberId
  return [...members].sort((left, right) => (name(left) < name(right) ? -1 : 1))
}

const keyOf = ({ subtopologyId, partition }: Task): string => taskKey(subtopologyId, partition)

const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)
const byPartition = (left: Task, right: Task) =>
  left.partition - right.partition || compare(left.subtopologyId, right.subtopologyId)
const bySubtopology = (left: Task, right: Task) =>
  compare(left.subtopologyId, right.subtopologyId) || left.partition - right.partition

const partitions = (tasks: readonly Task[]): Partitions =>
  partitionsOf(tasks.map(({ subtopologyId, partition }) => ({ topicId: subtopologyId, partitions: [partition] })))
