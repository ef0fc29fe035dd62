/**
 * Runs a pipeline in worker threads of this process (`num.stream.threads`).
 *
 *     this thread       the state directory's lock, identity, topics, queries over HTTP, freeing of old state
 *     worker 0 … N-1    each a member of the group: consumer, transactional producer, tasks, copies of others' state
 *
 * A worker's ids are the process's with its number, so that each is itself again after a restart (E1). State is the
 * process's: a task that moves between its workers finds it as it was left (claims.ts). A global table each worker keeps
 * for itself. Without a state directory state is in the workers' memory, and each is a process of its own to the group.
 */
import { getCompileCacheDir } from "node:module"
import { isMainThread, workerData } from "node:worker_threads"
import { type ClientSecurity, KafkaClient } from "@millrace/client"
import { type Registry, RegistryClient, type RegistryClientOptions } from "@millrace/schema"
import type { Pipeline } from "../dsl/pipeline.ts"
import { PipelineError } from "../errors.ts"
import { Forwarder } from "../query/forward.ts"
import { queryRoutes } from "../query/http-routes.ts"
import { StoreDirectory } from "../query/stores.ts"
import { TaskClaims } from "../run/claims.ts"
import { startCleaner } from "../run/clean-state.ts"
import { newProcessId, openIdentity } from "../run/identity.ts"
import { inTurn } from "../run/in-turn.ts"
import { prepareTopics } from "../run/internal-topics.ts"
import { resolveRunOptions, type RunOptions, type WorkersRunOptions } from "../run/options.ts"
import { openEngines, startQueryServer } from "../run/run.ts"
import { bindSerdes } from "../run/serdes.ts"
import { allTasks } from "../run/task-factory.ts"
import { resolvePatterns } from "../run/topic-patterns.ts"
import type { TaskEndpoints } from "../run/assignor-data.ts"
import { formatTaskId } from "../topology/naming.ts"
import { makeTopology } from "../topology/topology.ts"
import { ThreadChanges } from "./changes.ts"
import { ThreadsHandle } from "./handle.ts"
import type { PostedOptions } from "./messages.ts"
import { ThreadQueries } from "./queries.ts"
import { WorkerThread } from "./thread.ts"

/** To cleaners of state and to claims the process itself. */
const PROCESS = -1

export async function runInThreads(pipeline: Pipeline<any>, given: WorkersRunOptions): Promise<ThreadsHandle> {
  const { workers, module, ...runOptions } = given
  check(pipeline.name, given)
  const options = resolveRunOptions(pipeline.name, runOptions)
  const { host, applicationId } = options
  const directory = options.stateDir && `${options.stateDir}/${applicationId}`
  const topology = makeTopology(await resolvePatterns(pipeline.plan, options), applicationId)
  const identity = openIdentity(host, directory)
  const closers: Array<() => Promise<void> | void> = [() => identity.release()]
  const closeAll = () => inTurn(closers.splice(0).toReversed())
  try {
    const client = new KafkaClient({
      host,
      brokers: options.brokers,
      ...(options.security && { security: options.security }),
      clientId: `${applicationId}-${identity.processId}`,
    })
    const { partitions } = await prepareTopics(topology, client.admin(), options.createTopics).finally(() =>
      client.close(),
    )
    const tasks = allTasks(topology, partitions).map(formatTaskId)
    const claimed = TaskClaims.memory(tasks.length)
    const claims = new TaskClaims(tasks, PROCESS, claimed)
    if (directory !== undefined) {
      const engines = await openEngines(directory, options)
      closers.push(() => engines.close())
      const isGlobalHere = (store: string, partition: number) =>
        topology.globals.some(({ name }) => name === store) && handle.workers.includes(partition)
      closers.push(startCleaner({ topology, engines, claims, options, isGlobalHere }))
    }
    const server = options.queries && (await startQueryServer(options.queries))
    if (server !== undefined) closers.push(() => server.close())
    let endpoints: TaskEndpoints = {}
    const stores = new StoreDirectory(topology, await bindSerdes(topology, options.registry))
    const queries = new ThreadQueries(
      { topology, stores, partitions, endpoints: () => endpoints, state: () => handle.state() },
      () => handle.threads,
    )
    const changes = new ThreadChanges(() => handle.threads)
    const spawn = (worker: number, isPaused: boolean) =>
      new WorkerThread(
        {
          module: String(module),
          pipeline: pipeline.name,
          options: posted(runOptions, applicationId),
          registry: registrySettings(options.registry),
          needsSecurity: hasToken(options.security),
          identity: {
            processId: identity.isPersistent ? identity.processId : newProcessId(host),
            isPersistent: identity.isPersistent,
          },
          worker,
          claimed,
          endpoint: server?.endpoint,
          isPaused,
          asksWhenUncaught: options.onUncaught !== undefined,
          compileCache: getCompileCacheDir(),
        },
        {
          onLog: (message) => options.log(message),
          onState: () => handle.changed(),
          onEndpoints: (told) => (endpoints = told),
          onStarted: (thread) => changes.started(thread),
          onWatch: (thread, message) => changes.follow(thread, message),
          onUncaught: (failure, count) => options.onUncaught!(failure, count),
        },
      )
    const handle = new ThreadsHandle({
      applicationId,
      topology,
      endpoint: server?.endpoint,
      queries,
      changes,
      workers,
      spawn,
      onGone: (worker) => claims.releaseAllOf(worker),
      onDied: (cause, count) => options.onUncaught?.(cause, count),
      onStateChange: options.onStateChange,
      log: options.log,
      isPersistent: identity.isPersistent,
      release: closeAll,
    })
    server?.serve(
      queryRoutes({
        applicationId,
        state: () => handle.state(),
        metrics: () => handle.metrics(),
        lags: () => handle.lags(),
        queries,
        forwarder: new Forwarder(host.clock, fetch),
      }),
    )
    await handle.start()
    return handle
  } catch (failure) {
    await closeAll().catch(() => {})
    throw failure
  }
}

function check(pipeline: string, options: WorkersRunOptions): void {
  const { workers, module, registry } = options
  const wrong = (reason: string) => new PipelineError(`pipeline "${pipeline}": ${reason}`)
  if (!Number.isSafeInteger(workers) || workers < 1)
    throw wrong(`workers ${workers}: expected a whole number, at least 1`)
  if (!/^(file|data):/.test(String(module))) {
    throw wrong(`module ${module}: expected the URL of the file that exports the pipeline, such as import.meta.url`)
  }
  if (!isMainThread && (workerData as { claimed?: unknown } | null)?.claimed instanceof SharedArrayBuffer) {
    throw wrong(
      `its module runs it when a worker thread loads it: call run only where isMainThread, or in another module`,
    )
  }
  for (const name of ["services", "effects", "assignor", "engines", "net"] as const) {
    if (options[name] === undefined) continue
    const isModules = name !== "engines" && name !== "net"
    const how = isModules ? `: export const runOptions = { ${name} } from its module` : ""
    throw wrong(`${name} cannot be sent to worker threads${how}`)
  }
  const { to } = options.snapshots ?? {}
  if (typeof to === "object" && !("bucket" in to)) {
    throw wrong(
      "snapshots to a store of one's own cannot be sent to worker threads: export const runOptions = { snapshots }",
    )
  }
  if (registry !== undefined && registrySettings(registry) === undefined) {
    throw wrong("a registry of one's own cannot be sent to worker threads: export const runOptions = { registry }")
  }
}

/** Undefined: it cannot be made again elsewhere. */
function registrySettings(registry: Registry | undefined): RegistryClientOptions | undefined {
  return registry instanceof RegistryClient && registry.settings.fetch === undefined ? registry.settings : undefined
}

/** A function, which the module has to give its threads too. */
const hasToken = (security: ClientSecurity | undefined): boolean =>
  security?.sasl !== undefined && "token" in security.sasl

/** Functions, and what is the process's own. */
const NOT_POSTED: ReadonlySet<string> = new Set<keyof RunOptions>([
  "host",
  "net",
  "engines",
  "queries",
  "registry",
  "services",
  "effects",
  "assignor",
  "onUncaught",
  "onStateChange",
  "log",
])

/** What threads are told of the options: data alone. */
function posted(options: RunOptions, applicationId: string): PostedOptions {
  const isPosted = (name: string) => !NOT_POSTED.has(name) && !(name === "security" && hasToken(options.security))
  const data = Object.entries(options).filter(([name]) => isPosted(name))
  return { ...(Object.fromEntries(data) as unknown as PostedOptions), applicationId }
}
