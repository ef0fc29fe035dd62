/**
 * A worker that stands alone: what the REST API asks for, checked, stored, and handed to the herder.
 *
 * Changes happen one after the other, and count once the config store has them; so a create and a delete of the same name
 * cannot cross, and a restarted worker finds what was acknowledged.
 */
import type { Admin } from "@millrace/client"
import { type ConfigInfos, configInfos } from "../config/config-infos.ts"
import type { Plugins } from "../config/plugins.ts"
import type { ResolvedConnector } from "../config/resolve.ts"
import type { ConfigStore } from "../store/config-store.ts"
import type { ConnectorOffset, ConnectorOffsets } from "./connector-offsets.ts"
import type { ConnectorConfig, TargetState, UnitStatus } from "./herder.ts"
import { badRequest, conflict, notFound } from "./refused.ts"
import type { Worker } from "./worker.ts"

export const VERSION = "0.1.0"

export interface StandaloneOptions {
  readonly admin: Admin
  readonly worker: Worker
  readonly plugins: Plugins
  readonly store: ConfigStore
  readonly connectorOffsets: ConnectorOffsets
  readonly usedTopics: ReadonlyMap<string, Set<string>>
  /** `host:port` of the REST listener, as status shows it. */
  readonly workerId: () => string
}

interface TaskId {
  readonly connector: string
  readonly task: number
}

export interface ConnectorInfo {
  readonly name: string
  readonly config: ConnectorConfig
  readonly tasks: readonly TaskId[]
  readonly type: "source" | "sink" | "unknown"
}

export class Standalone {
  readonly #options: StandaloneOptions
  #last: Promise<unknown> = Promise.resolve()
  #ready = false

  constructor(options: StandaloneOptions) {
    this.#options = options
  }

  get plugins(): Plugins {
    return this.#options.plugins
  }

  /** Starts what the store has; then, under their names, `configs`, which win over stored ones. */
  async start(configs: Readonly<Record<string, ConnectorConfig>>): Promise<void> {
    const { store, worker } = this.#options
    for (const [name, { config, target }] of await store.load()) {
      if (name in configs) continue
      worker.configure(name, config, target)
    }
    for (const [name, config] of Object.entries(configs)) await this.putConfig(name, config)
    this.#ready = true
  }

  async describe(): Promise<unknown> {
    const { clusterId } = await this.#options.admin.describeCluster()
    return { version: VERSION, commit: "unknown", kafka_cluster_id: clusterId }
  }

  health(): unknown {
    return this.#ready
      ? { status: "healthy", message: "the worker is ready" }
      : { status: "starting", message: "the worker is starting" }
  }

  names(): string[] {
    return this.#options.worker.herder.names()
  }

  config(name: string): ConnectorConfig {
    const config = this.#options.worker.herder.config(name)
    if (!config) throw notFound(`there is no connector ${name}`)
    return config
  }

  info(name: string): ConnectorInfo {
    const config = this.config(name)
    const type = this.#options.plugins.findConnector(config["connector.class"] ?? "")?.kind ?? "unknown"
    const tasks = this.#status(name).tasks.map((_, task) => ({ connector: name, task }))
    return { name, config, tasks, type }
  }

  tasks(name: string): unknown {
    const { herder } = this.#options.worker
    return this.info(name).tasks.map((id) => ({ id, config: herder.taskConfigs(name)[id.task] ?? {} }))
  }

  status(name: string) {
    const status = this.#status(name)
    return {
      name,
      connector: this.#unit(name, status.connector),
      tasks: status.tasks.map((unit, id) => ({ id, ...this.#unit(name, unit) })),
      type: this.info(name).type,
    }
  }

  taskStatus(name: string, task: number): unknown {
    const unit = this.#status(name).tasks[task]
    if (!unit) throw notFound(`connector ${name} has no task ${task}`)
    return { id: task, ...this.#unit(name, unit) }
  }

  topicsOf(name: string): unknown {
    this.config(name)
    return { [name]: { topics: [...(this.#options.usedTopics.get(name) ?? [])] } }
  }

  resetTopicsOf(name: string): void {
    this.config(name)
    this.#options.usedTopics.get(name)?.clear()
  }

  create(name: string, settings: ConnectorConfig, target: TargetState): Promise<ConnectorInfo> {
    return this.#inTurn(async () => {
      if (this.names().includes(name)) throw conflict(`connector ${name} exists already`)
      await this.#store(name, settings, target)
      return this.info(name)
    })
  }

  putConfig(
    name: string,
    settings: ConnectorConfig,
  ): Promise<{ readonly created: boolean; readonly info: ConnectorInfo }> {
    return this.#inTurn(async () => {
      const created = !this.names().includes(name)
      await this.#store(name, settings, undefined)
      return { created, info: this.info(name) }
    })
  }

  patchConfig(name: string, changes: Readonly<Record<string, string | null>>): Promise<ConnectorInfo> {
    return this.#inTurn(async () => {
      const settings: Record<string, string> = { ...this.config(name) }
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) delete settings[key]
        else settings[key] = value
      }
      await this.#store(name, settings, undefined)
      return this.info(name)
    })
  }

  setTarget(name: string, target: TargetState): Promise<void> {
    return this.#inTurn(async () => {
      this.config(name)
      await this.#options.store.putTarget(name, target)
      this.#options.worker.target(name, target)
    })
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.config(name)
      await this.#options.store.remove(name)
      this.#options.worker.remove(name)
    })
  }

  restart(name: string, options: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): unknown {
    const before = this.status(name)
    const restarting = <T extends { readonly state: string }>(unit: T, chosen: boolean): T =>
      chosen && (!options.onlyFailed || unit.state === "FAILED") ? { ...unit, state: "RESTARTING" } : unit
    this.#options.worker.restart(name, options)
    return {
      ...before,
      connector: restarting(before.connector, true),
      tasks: before.tasks.map((task) => restarting(task, options.includeTasks)),
    }
  }

  restartTask(name: string, task: number): void {
    this.taskStatus(name, task)
    this.#options.worker.restartTask(name, task)
  }

  validate(settings: ConnectorConfig): ConfigInfos {
    const definition = this.#options.plugins.connector(settings["connector.class"] ?? "")
    return configInfos(definition, settings, this.#options.worker.resolve(settings).problems)
  }

  offsets(name: string): Promise<ConnectorOffset[]> {
    return this.#options.connectorOffsets.list(this.#resolved(name))
  }

  alterOffsets(name: string, offsets: readonly ConnectorOffset[]): Promise<void> {
    return this.#inTurn(() => this.#options.connectorOffsets.alter(this.#stopped(name), offsets))
  }

  resetOffsets(name: string): Promise<void> {
    return this.#inTurn(() => this.#options.connectorOffsets.reset(this.#stopped(name)))
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined)
    await this.#options.worker.close()
    await this.#options.store.close()
  }

  async #store(name: string, given: ConnectorConfig, target: TargetState | undefined): Promise<void> {
    if (given["name"] !== undefined && given["name"] !== name) {
      throw badRequest(`the settings are for connector ${given["name"]}, the request is for ${name}`)
    }
    const settings = { ...given, name }
    const { store, worker } = this.#options
    const { problems } = worker.resolve(settings)
    if (problems.length > 0) throw badRequest(refusal(settings, problems))
    await store.putConfig(name, settings)
    if (target !== undefined && target !== "STARTED") await store.putTarget(name, target)
    worker.configure(name, settings, target)
  }

  #status(name: string) {
    const status = this.#options.worker.herder.status(name)
    if (!status) throw notFound(`there is no connector ${name}`)
    return status
  }

  #unit(name: string, unit: UnitStatus) {
    const version = this.#options.plugins.findConnector(this.config(name)["connector.class"] ?? "")?.version
    return {
      state: unit.state,
      worker_id: this.#options.workerId(),
      ...(unit.trace !== undefined && { trace: unit.trace }),
      ...(version !== undefined && { version }),
      ...(unit.completed && { completed: true }),
    }
  }

  #resolved(name: string): ResolvedConnector {
    const { resolved, problems } = this.#options.worker.resolve(this.config(name))
    if (!resolved) throw badRequest(refusal(this.config(name), problems))
    return resolved
  }

  #stopped(name: string): ResolvedConnector {
    const { target } = this.#status(name)
    if (target !== "STOPPED" || !this.#options.worker.herder.isIdle(name)) {
      throw badRequest(
        `connector ${name} runs: stop it first with PUT /connectors/${name}/stop, and wait for its tasks to end`,
      )
    }
    return this.#resolved(name)
  }

  /** Runs after all that was asked before. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.catch(() => undefined).then(run)
    this.#last = result
    return result
  }
}

function refusal(settings: ConnectorConfig, problems: readonly { readonly message: string }[]): string {
  const className = settings["connector.class"] ?? "CLASS"
  const list = problems.map((problem) => problem.message).join("; ")
  return `${list} (PUT /connector-plugins/${className}/config/validate explains every setting)`
}
