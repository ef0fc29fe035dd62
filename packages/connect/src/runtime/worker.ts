/**
 * Carries out the herder's orders: connectors and tasks as running things, on one host.
 *
 * It decides nothing. Every order becomes a call, every outcome a report; the herder's deadline becomes a timer. A task
 * that does not stop within its time is given up: its later reports are not heard.
 */
import type { KafkaClient } from "@millrace/client"
import type { Host, Timer } from "@millrace/host"
import type { Registry } from "@millrace/schema"
import type { Plugins } from "../config/plugins.ts"
import { restartPolicy } from "../config/connector-config.ts"
import {
  type ChosenConverter,
  type ResolvedConnector,
  resolveConnector,
  type WorkerDefaults,
} from "../config/resolve.ts"
import type { Log } from "../log.ts"
import type { SourceOffsets } from "../store/source-offsets.ts"
import type { Topics } from "../store/topics.ts"
import type { Converters } from "./conversion.ts"
import { type ConnectorConfig, Herder, type Order, type Report, type TargetState, type UnitId } from "./herder.ts"
import { type Runner, traceOf } from "./runner.ts"
import { SinkRunner } from "./sink-runner.ts"
import { SourceRunner } from "./source-runner.ts"

export interface WorkerOptions {
  readonly host: Host
  readonly client: KafkaClient
  readonly defaults: WorkerDefaults
  readonly plugins: Plugins
  readonly offsets: SourceOffsets
  readonly topics: Topics
  readonly registry: (url: string | null) => Registry
  readonly log: Log
  /** A connector has used a topic. */
  readonly usedTopic: (connector: string, topic: string) => void
}

interface Running {
  readonly runner: Runner
  readonly launch: number
  /** Resolves when the task has ended or was given up. */
  readonly gone: Promise<void>
  readonly giveUp: () => void
}

export class Worker {
  readonly herder = new Herder()
  readonly #options: WorkerOptions
  readonly #running = new Map<string, Running>()
  #timer: Timer | undefined
  #closing = false

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** `target` is that of a new connector, or the present one when it is left out. */
  configure(name: string, config: ConnectorConfig, target?: TargetState): void {
    const { resolved } = this.resolve(config)
    const policy = resolved ? restartPolicy(resolved.common) : NEVER
    this.#carryOut(this.herder.configured(name, config, policy, target))
  }
  target(name: string, target: TargetState): void {
    this.#carryOut(this.herder.targeted(name, target))
  }
  remove(name: string): void {
    this.#carryOut(this.herder.removed(name))
  }
  restart(name: string, options: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): void {
    this.#carryOut(this.herder.restart(name, options))
  }
  restartTask(name: string, task: number): void {
    this.#carryOut(this.herder.restartTask(name, task))
  }

  resolve(config: ConnectorConfig) {
    return resolveConnector(this.#options.plugins, this.#options.defaults, config)
  }

  /** Halts everything and waits until it has ended, or its time is up. */
  async close(): Promise<void> {
    this.#closing = true
    this.#timer?.cancel()
    this.#carryOut(this.herder.haltAll())
    await Promise.all([...this.#running.values()].map((running) => running.gone))
  }

  #carryOut(orders: readonly Order[]): void {
    for (const order of orders) this.#carryOutOne(order)
    this.#armTimer()
  }

  #carryOutOne(order: Order): void {
    if (order.type === "launch-connector") {
      if (!this.#closing) void this.#launchConnector(order.id, order.launch, order.config)
    } else if (order.type === "launch-task") {
      if (!this.#closing) this.#launchTask(order.id, order.launch, order.config, order.held)
    } else if (order.id.task === undefined) {
      // A connector has no instance of its own to wait for; its tasks follow their own orders.
      if (order.type === "halt") this.#report(order.id, order.launch, { type: "ended" })
    } else this.#tell(order.id, order.launch, order.type)
  }

  #report(id: UnitId, launch: number, report: Report): void {
    const { log } = this.#options
    if (report.type === "fail") log("error", `${unitName(id)} failed: ${report.trace}`)
    this.#carryOut(this.herder.reported(id, launch, report, this.#options.host.clock.monotonic()))
  }

  async #launchConnector(id: UnitId, launch: number, config: ConnectorConfig): Promise<void> {
    try {
      const resolved = this.#resolved(config)
      const tasksMax = resolved.common["tasks.max"]
      const taskConfigs = await this.#taskConfigs(resolved, tasksMax)
      if (taskConfigs.length > tasksMax && resolved.common["tasks.max.enforce"]) {
        throw new Error(`the connector made ${taskConfigs.length} tasks, tasks.max allows ${tasksMax}`)
      }
      this.#report(id, launch, { type: "up", taskConfigs })
    } catch (error) {
      this.#report(id, launch, { type: "fail", trace: traceOf(error) })
      this.#report(id, launch, { type: "ended" })
    }
  }

  async #taskConfigs(resolved: ResolvedConnector, tasksMax: number): Promise<readonly ConnectorConfig[]> {
    const { definition, settings } = resolved
    if (definition.taskConfigs) return await definition.taskConfigs(settings, tasksMax, this.#options.host)
    // The tasks of a sink share its partitions as members of one group; a source that says nothing cannot be split.
    return Array.from({ length: definition.kind === "sink" ? tasksMax : 1 }, () => settings)
  }

  #resolved(config: ConnectorConfig): ResolvedConnector {
    const { problems, resolved } = this.resolve(config)
    if (!resolved) throw new Error(problems.map((problem) => problem.message).join("; "))
    return resolved
  }

  #launchTask(id: UnitId, launch: number, config: ConnectorConfig, held: boolean): void {
    let runner: Runner
    try {
      runner = this.#createRunner(id, launch, config, held)
    } catch (error) {
      this.#report(id, launch, { type: "fail", trace: traceOf(error) })
      this.#report(id, launch, { type: "ended" })
      return
    }
    const { promise: gone, resolve: giveUp } = Promise.withResolvers<void>()
    this.#running.set(unitName(id), { runner, launch, gone, giveUp })
    void runner.run().then(giveUp)
    void gone.then(() => {
      if (this.#running.get(unitName(id))?.launch === launch) this.#running.delete(unitName(id))
    })
  }

  #createRunner(id: UnitId, launch: number, config: ConnectorConfig, held: boolean): Runner {
    const { host, client, defaults, offsets, topics, log, usedTopic } = this.#options
    const resolved = this.#resolved(config)
    const base = {
      connector: id.connector,
      task: id.task!,
      host,
      client,
      held,
      worker: defaults.values,
      topics,
      converters: this.#converters(resolved),
      log: ((level, message, fields) => log(level, `${unitName(id)}: ${message}`, fields)) satisfies Log,
      usedTopic: (topic: string) => usedTopic(id.connector, topic),
      report: (report: Report) => this.#report(id, launch, report),
    }
    return resolved.kind === "source"
      ? new SourceRunner({ ...base, offsets, connectorConfig: resolved })
      : new SinkRunner({ ...base, connectorConfig: resolved })
  }

  #converters(resolved: ResolvedConnector): Converters {
    const create = ({ definition, values }: ChosenConverter, isKey: boolean) =>
      definition.create(values as never, { isKey, registry: this.#options.registry })
    return {
      key: create(resolved.keyConverter, true),
      value: create(resolved.valueConverter, false),
      keyClass: resolved.keyConverter.definition.className,
      valueClass: resolved.valueConverter.definition.className,
    }
  }

  #tell(id: UnitId, launch: number, order: "halt" | "hold" | "release"): void {
    const running = this.#running.get(unitName(id))
    if (running?.launch !== launch) return
    running.runner.control[order]()
    if (order !== "halt") return
    const { clock } = this.#options.host
    const graceMs = this.#options.defaults.values["task.shutdown.graceful.timeout.ms"]
    const timer = clock.setTimer(graceMs, () => {
      this.#options.log("warn", `${unitName(id)} did not stop within ${graceMs} ms and is given up`)
      running.giveUp()
      this.#report(id, launch, { type: "ended" })
    })
    void running.gone.then(() => timer.cancel())
  }

  #armTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const deadline = this.herder.nextDeadline()
    if (deadline === undefined || this.#closing) return
    const { clock } = this.#options.host
    this.#timer = clock.setTimer(
      deadline - clock.monotonic(),
      () => this.#carryOut(this.herder.tick(clock.monotonic())),
      { background: true },
    )
  }
}

const NEVER = { onFailure: false, backoffMs: 1, backoffMsMax: 1, attemptsMax: 0, resetMs: 0 }

const unitName = ({ connector, task }: UnitId): string =>
  task === undefined ? `connector ${connector}` : `connector ${connector}, task ${task}`
