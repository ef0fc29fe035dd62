/**
 * Less traffic between racks (KIP-925): tasks that were dealt out change places, so that more of what they read comes from
 * their own rack, as far as that is worth moving them.
 *
 * A task costs its traffic where it is, and a move where it is not now. Processes that give one task each to the next one in
 * a ring keep as many as they had, whatever the ring: balance stays as it was dealt. The cheapest ring is made again and again
 * until none saves anything. Then no other division with these counts costs less, for where one did, the way from here to
 * there would consist of such rings: Kafka Streams finds the same by the flow of least cost.
 *
 * Traffic is what is read from leaders on other racks: our client reads from leaders alone (no KIP-392). Kafka Streams counts
 * a partition as near where any replica is. Without the rack of every process nothing is weighed.
 */
import type { Targets } from "./assign-active.ts"
import type { AssignedMember, AssignedTask, Group } from "./assignment.ts"

/** Tasks without state lose nothing when they move. */
const STATELESS = { traffic: 1, move: 0 }

export function weighsTraffic(group: Group): boolean {
  if (group.rules.rackAwareAssignmentStrategy === "none") return false
  return [...group.processes.keys()].every((processId) => group.rack(processId) !== undefined)
}

/** Partitions that are read across racks by a process on `rack`. */
export function trafficOf(leaders: readonly string[], rack: string | undefined): number {
  let traffic = 0
  for (const leader of leaders) if (leader !== rack) traffic++
  return traffic
}

export function lessTraffic(tasks: readonly AssignedTask[], group: Group, dealt: Targets): Targets {
  const targets = new Map(dealt)
  const isApart = group.rules.rackAwareAssignmentStrategy === "balance-subtopology"
  // Only alike change places: so the counts of those with state stay too, and of each sub-topology where that is asked for.
  const alike = Map.groupBy(tasks, ({ isStateful, subtopology }) => `${isStateful} ${isApart ? subtopology : ""}`)
  for (const pool of alike.values()) new Pool(pool, group, targets).exchange()
  return targets
}

class Pool {
  readonly #tasks: readonly AssignedTask[]
  readonly #group: Group
  readonly #targets: Map<string, AssignedMember>
  readonly #processes: readonly string[]
  /** By number of the process: its tasks. */
  readonly #held: Set<AssignedTask>[]
  /** From one process to another: the task that is cheapest to move, and by what moving it changes the cost. */
  readonly #moves: (Move | undefined)[][]

  constructor(tasks: readonly AssignedTask[], group: Group, targets: Map<string, AssignedMember>) {
    this.#tasks = tasks.filter(({ name }) => targets.has(name))
    this.#group = group
    this.#targets = targets
    this.#processes = [...group.processes.keys()]
    this.#held = this.#processes.map(
      (processId) => new Set(this.#tasks.filter(({ name }) => targets.get(name)!.processId === processId)),
    )
    this.#moves = this.#processes.map(() => [])
  }

  exchange(): void {
    for (const from of this.#processes.keys()) this.#weigh(from)
    for (let ring = this.#ring(); ring !== undefined; ring = this.#ring()) {
      for (const { task, from, to } of ring) {
        this.#held[from]!.delete(task)
        this.#held[to]!.add(task)
      }
      for (const { from } of ring) this.#weigh(from)
    }
    this.#seat()
  }

  /** Whole numbers; what costs the same is better where fewer tasks move. */
  #cost(task: AssignedTask, processId: string): number {
    const { rackAwareAssignmentTrafficCost, rackAwareAssignmentNonOverlapCost } = this.#group.rules
    const { traffic, move } = task.isStateful
      ? { traffic: rackAwareAssignmentTrafficCost, move: rackAwareAssignmentNonOverlapCost }
      : STATELESS
    const home = this.#group.runner(task.name) ?? this.#targets.get(task.name)!
    const isAway = home.processId === processId ? 0 : 1
    const cost = traffic * trafficOf(task.inputRacks, this.#group.rack(processId)) + move * isAway
    return cost * (this.#tasks.length + 1) + isAway
  }

  #weigh(from: number): void {
    const held = [...this.#held[from]!]
    const here = held.map((task) => this.#cost(task, this.#processes[from]!))
    for (const [to, processId] of this.#processes.entries()) {
      let best: Move | undefined
      for (const [at, task] of held.entries()) {
        const change = this.#cost(task, processId) - here[at]!
        if (best === undefined || change < best.change) best = { task, from, to, change }
      }
      this.#moves[from]![to] = to === from ? undefined : best
    }
  }

  /** Moves that come round to where they began, and save something: Bellman and Ford's, from everywhere at once. */
  #ring(): Move[] | undefined {
    const cost = this.#processes.map(() => 0)
    const last: (Move | undefined)[] = this.#processes.map(() => undefined)
    for (let round = 0; round <= this.#processes.length; round++) {
      let isDone = true
      for (const moves of this.#moves) {
        for (const move of moves) {
          if (move === undefined || cost[move.from]! + move.change >= cost[move.to]!) continue
          cost[move.to] = cost[move.from]! + move.change
          last[move.to] = move
          isDone = false
        }
      }
      if (isDone) return undefined
      const ring = ringOf(last)
      if (ring !== undefined) return ring
    }
    return undefined
  }

  /** In its process a task that came takes the place of one that went, with who runs it if it can. */
  #seat(): void {
    const seated = new Map<string, AssignedMember>()
    for (const [at, processId] of this.#processes.entries()) {
      const held = this.#held[at]!
      const came = [...held].filter(({ name }) => this.#before(name).processId !== processId)
      const free = this.#tasks
        .filter((task) => !held.has(task) && this.#before(task.name).processId === processId)
        .map(({ name }) => this.#before(name))
      const isOurs = ({ name }: AssignedTask) => free.includes(this.#group.runner(name)!)
      for (const task of [...came.filter(isOurs), ...came.filter((one) => !isOurs(one))]) {
        const runner = free.indexOf(this.#group.runner(task.name)!)
        const [member] = free.splice(Math.max(0, runner), 1)
        seated.set(task.name, member!)
      }
    }
    for (const [name, member] of seated) this.#targets.set(name, member)
  }

  #before(name: string): AssignedMember {
    return this.#targets.get(name)!
  }
}

interface Move {
  readonly task: AssignedTask
  readonly from: number
  readonly to: number
  readonly change: number
}

/** Whoever follows the last moves back and comes to where it has been is on a ring that saves something. */
function ringOf(last: readonly (Move | undefined)[]): Move[] | undefined {
  const seenFrom = last.map(() => -1)
  for (const start of last.keys()) {
    let at = start
    while (seenFrom[at] === -1 && last[at] !== undefined) {
      seenFrom[at] = start
      at = last[at]!.from
    }
    if (seenFrom[at] !== start || last[at] === undefined) continue
    const ring: Move[] = []
    const end = at
    do {
      const move = last[at]!
      ring.push(move)
      at = move.from
    } while (at !== end)
    return ring
  }
  return undefined
}
