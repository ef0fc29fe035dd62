/**
 * The herder decides: which connectors and tasks should run here, and what to order so that they do.
 *
 * It is a pure core. Inputs are what the config store says (configured, targeted, removed), what the instances report
 * (up, failed, ended, completed) and restarts; each answers orders for the worker. It reads no clock: reports carry
 * `now`, monotonic milliseconds, and `nextDeadline` says when `tick` is due.
 *
 * Invariants:
 *  - an input makes the difference between what is wanted and what runs smaller, never larger: `reconcile` is level
 *    triggered, so that lost or repeated inputs do no harm;
 *  - tasks of a new configuration start only when all tasks of the old one have ended, since the split of work between
 *    them may have changed;
 *  - an entry goes only when everything it ran has ended, so a connector of the same name cannot run beside its ghost.
 */
import type { RestartPolicy } from "./restart-policy.ts"
import { restartDelayMs } from "./restart-policy.ts"
import { createUnit, type Unit, unitEnded, unitEvent, type UnitOrder } from "./unit.ts"

export type TargetState = "STARTED" | "PAUSED" | "STOPPED"
export type ConnectorConfig = Readonly<Record<string, string>>

/** `task` is undefined for the connector itself. */
export interface UnitId {
  readonly connector: string
  readonly task: number | undefined
}

export type Order =
  | {
      readonly type: "launch-connector"
      readonly id: UnitId
      readonly launch: number
      readonly config: ConnectorConfig
    }
  | {
      readonly type: "launch-task"
      readonly id: UnitId
      readonly launch: number
      readonly config: ConnectorConfig
      readonly held: boolean
    }
  | { readonly type: "halt" | "hold" | "release"; readonly id: UnitId; readonly launch: number }

export type Report =
  | { readonly type: "up"; readonly taskConfigs?: readonly ConnectorConfig[] }
  | { readonly type: "fail"; readonly trace: string }
  | { readonly type: "ended" }
  | { readonly type: "completed" }

interface Wish {
  readonly config: ConnectorConfig
  readonly policy: RestartPolicy
  target: TargetState
}

interface Entry {
  readonly name: string
  /** Undefined once the connector was deleted. */
  wish: Wish | undefined
  connector: Unit
  /** The configuration that the connector unit was launched with. */
  launched: ConnectorConfig | undefined
  tasks: Unit[]
  taskConfigs: readonly ConnectorConfig[]
  /** Task configurations that wait for the running tasks to end. */
  nextTaskConfigs: readonly ConnectorConfig[] | undefined
}

export interface UnitStatus {
  readonly state: Unit["state"]
  readonly trace: string | undefined
  readonly completed: boolean
}

export interface ConnectorStatus {
  readonly name: string
  readonly target: TargetState
  readonly connector: UnitStatus
  readonly tasks: readonly UnitStatus[]
}

export class Herder {
  readonly #entries = new Map<string, Entry>()
  #launches = 0

  /** `target` is the present one, STARTED for a new connector, when it is left out. */
  configured(name: string, config: ConnectorConfig, policy: RestartPolicy, target?: TargetState): Order[] {
    const entry = this.#entries.get(name) ?? this.#create(name)
    const same = entry.wish !== undefined && sameConfig(entry.wish.config, config)
    entry.wish = {
      config: same ? entry.wish!.config : config,
      policy,
      target: target ?? entry.wish?.target ?? "STARTED",
    }
    return this.#reconcile(entry)
  }

  targeted(name: string, target: TargetState): Order[] {
    const entry = this.#entries.get(name)
    if (!entry?.wish) return []
    entry.wish.target = target
    return this.#reconcile(entry)
  }

  removed(name: string): Order[] {
    const entry = this.#entries.get(name)
    if (!entry) return []
    entry.wish = undefined
    return this.#reconcile(entry)
  }

  /** Kafka's POST /connectors/NAME/restart: the connector, its tasks, or only what has failed of them. */
  restart(name: string, options: { includeTasks: boolean; onlyFailed: boolean }): Order[] {
    const entry = this.#entries.get(name)
    if (!entry?.wish || entry.wish.target === "STOPPED") return []
    const orders: Order[] = []
    const chosen = (unit: Unit) => !options.onlyFailed || unit.state === "FAILED"
    if (chosen(entry.connector)) this.#order(orders, entry, undefined, unitEvent(entry.connector, "restart"))
    if (options.includeTasks) {
      for (const [task, unit] of entry.tasks.entries()) {
        if (chosen(unit)) this.#order(orders, entry, task, unitEvent(unit, "restart"))
      }
    }
    return [...orders, ...this.#reconcile(entry)]
  }

  restartTask(name: string, task: number): Order[] {
    const entry = this.#entries.get(name)
    const unit = entry?.tasks[task]
    if (!entry || !unit) return []
    const orders: Order[] = []
    this.#order(orders, entry, task, unitEvent(unit, "restart"))
    return [...orders, ...this.#reconcile(entry)]
  }

  /** What an instance says about itself. Reports of earlier launches are ignored. */
  reported(id: UnitId, launch: number, report: Report, now: number): Order[] {
    const entry = this.#entries.get(id.connector)
    const unit = id.task === undefined ? entry?.connector : entry?.tasks[id.task]
    if (!entry || !unit || unit.launch !== launch || unit.instance === "none") return []
    const orders: Order[] = []
    switch (report.type) {
      case "up":
        if (unit.instance === "halting") break
        unit.upAt = now
        this.#order(orders, entry, id.task, unitEvent(unit, "up"))
        if (id.task === undefined) entry.nextTaskConfigs = report.taskConfigs ?? []
        break
      case "completed":
        unit.completed = true
        break
      case "fail":
        this.#failed(entry, unit, report.trace, now)
        break
      case "ended":
        this.#order(orders, entry, id.task, unitEnded(unit))
    }
    return [...orders, ...this.#reconcile(entry)]
  }

  /** Restarts what is due. */
  tick(now: number): Order[] {
    const orders: Order[] = []
    for (const entry of this.#entries.values()) {
      for (const [unit, task] of units(entry)) {
        if (unit.restartAt === undefined || unit.restartAt > now) continue
        this.#order(orders, entry, task, unitEvent(unit, "restart"))
      }
    }
    return orders
  }

  nextDeadline(): number | undefined {
    let next: number | undefined
    for (const entry of this.#entries.values()) {
      for (const [unit] of units(entry)) {
        if (unit.restartAt !== undefined && (next === undefined || unit.restartAt < next)) next = unit.restartAt
      }
    }
    return next
  }

  names(): string[] {
    return [...this.#entries.values()].filter((entry) => entry.wish).map((entry) => entry.name)
  }

  config(name: string): ConnectorConfig | undefined {
    return this.#entries.get(name)?.wish?.config
  }

  taskConfigs(name: string): readonly ConnectorConfig[] {
    return this.#entries.get(name)?.taskConfigs ?? []
  }

  status(name: string): ConnectorStatus | undefined {
    const entry = this.#entries.get(name)
    if (!entry?.wish) return undefined
    const tasks = entry.wish.target === "STOPPED" ? [] : entry.tasks
    return { name, target: entry.wish.target, connector: statusOf(entry.connector), tasks: tasks.map(statusOf) }
  }

  /** True when nothing runs any more, of this connector or of any. */
  isIdle(name?: string): boolean {
    return [...this.#entries.values()].every(
      (entry) =>
        (name !== undefined && entry.name !== name) || units(entry).every(([unit]) => unit.instance === "none"),
    )
  }

  /** Halts everything, for shutdown; the wishes stay. */
  haltAll(): Order[] {
    const orders: Order[] = []
    for (const entry of this.#entries.values()) {
      for (const [unit, task] of units(entry)) this.#order(orders, entry, task, unitEvent(unit, "halt"))
    }
    return orders
  }

  #create(name: string): Entry {
    const entry: Entry = {
      name,
      wish: undefined,
      connector: createUnit(),
      launched: undefined,
      tasks: [],
      taskConfigs: [],
      nextTaskConfigs: undefined,
    }
    this.#entries.set(name, entry)
    return entry
  }

  #failed(entry: Entry, unit: Unit, trace: string, now: number): void {
    if (unit.instance === "halting") return
    const policy = entry.wish?.policy
    const ranLongEnough = unit.upAt !== undefined && policy && now - unit.upAt >= policy.resetMs
    unit.failures = ranLongEnough ? 1 : unit.failures + 1
    unit.upAt = undefined
    unit.trace = trace
    unitEvent(unit, "fail")
    const delayMs = policy ? restartDelayMs(policy, unit.failures) : undefined
    if (delayMs !== undefined) unit.restartAt = now + delayMs
  }

  #reconcile(entry: Entry): Order[] {
    const orders: Order[] = []
    const { wish, connector } = entry
    if (!wish || wish.target === "STOPPED") {
      for (const [unit, task] of units(entry)) this.#order(orders, entry, task, unitEvent(unit, "halt"))
      entry.nextTaskConfigs = undefined
      entry.launched = undefined
      if (units(entry).every(([unit]) => unit.instance === "none")) {
        entry.tasks = []
        entry.taskConfigs = []
        if (!wish) this.#entries.delete(entry.name)
      }
      return orders
    }
    if (entry.launched !== wish.config) this.#launchConnector(orders, entry, wish)
    this.#holdOrRelease(orders, entry, undefined, connector, wish.target)
    if (entry.nextTaskConfigs) this.#replaceTasks(orders, entry, entry.nextTaskConfigs)
    for (const [task, unit] of entry.tasks.entries()) this.#holdOrRelease(orders, entry, task, unit, wish.target)
    return orders
  }

  #launchConnector(orders: Order[], entry: Entry, wish: Wish): void {
    entry.launched = wish.config
    entry.connector.failures = 0
    this.#order(orders, entry, undefined, unitEvent(entry.connector, started(entry.connector) ? "restart" : "launch"))
  }

  #replaceTasks(orders: Order[], entry: Entry, next: readonly ConnectorConfig[]): void {
    const unchanged =
      entry.tasks.length === next.length &&
      entry.tasks.every((unit, task) => unit.state !== "STOPPED" && sameConfig(entry.taskConfigs[task]!, next[task]!))
    if (unchanged) {
      entry.nextTaskConfigs = undefined
      return
    }
    for (const [task, unit] of entry.tasks.entries()) this.#order(orders, entry, task, unitEvent(unit, "halt"))
    if (entry.tasks.some((unit) => unit.instance !== "none")) return
    entry.tasks = next.map(createUnit)
    entry.taskConfigs = next
    entry.nextTaskConfigs = undefined
    for (const [task, unit] of entry.tasks.entries()) this.#order(orders, entry, task, unitEvent(unit, "launch"))
  }

  #holdOrRelease(orders: Order[], entry: Entry, task: number | undefined, unit: Unit, target: TargetState): void {
    if (target === "PAUSED" && unit.state === "RUNNING") this.#order(orders, entry, task, unitEvent(unit, "hold"))
    if (target === "STARTED" && unit.state === "PAUSED") this.#order(orders, entry, task, unitEvent(unit, "release"))
  }

  #order(orders: Order[], entry: Entry, task: number | undefined, order: UnitOrder | undefined): void {
    if (order === undefined) return
    const id = { connector: entry.name, task }
    const unit = task === undefined ? entry.connector : entry.tasks[task]!
    if (order !== "launch") {
      orders.push({ type: order, id, launch: unit.launch })
      return
    }
    unit.launch = ++this.#launches
    if (task === undefined) {
      orders.push({ type: "launch-connector", id, launch: unit.launch, config: entry.wish!.config })
    } else {
      const held = entry.wish?.target === "PAUSED"
      orders.push({ type: "launch-task", id, launch: unit.launch, config: entry.taskConfigs[task]!, held })
    }
  }
}

function units(entry: Entry): [Unit, number | undefined][] {
  return [[entry.connector, undefined], ...entry.tasks.map((unit, task): [Unit, number] => [unit, task])]
}

const started = (unit: Unit): boolean => unit.launch > 0 && unit.state !== "STOPPED"

const statusOf = (unit: Unit): UnitStatus => ({ state: unit.state, trace: unit.trace, completed: unit.completed })

export function sameConfig(left: ConnectorConfig, right: ConnectorConfig): boolean {
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}
