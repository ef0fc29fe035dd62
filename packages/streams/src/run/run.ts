/**
 * Runs a pipeline: connects, prepares topics, joins the group, and answers a handle.
 *
 *     identity (locked) -> topics -> serdes -> producer takes its transactional id over -> group -> tasks
 *
 * What is wrong with the pipeline or its topics rejects `run`; what goes wrong later rejects `done`.
 */
import { KafkaClient } from "@millrace/client"
import type { RestoreReport } from "../metrics/report.ts"
import { telemetryMetrics } from "../metrics/telemetry.ts"
import type { Clock } from "@millrace/host"
import type { Context } from "effect"
import type { Pipeline } from "../dsl/pipeline.ts"
import { Forwarder } from "../query/forward.ts"
import { queryRoutes } from "../query/http-routes.ts"
import type { QueriesListen, QueryServer } from "../query/http-server.ts"
import { Queries } from "../query/queries.ts"
import { StoreDirectory } from "../query/stores.ts"
import type { StateEngines } from "../state/engine.ts"
import { lmdbFileFault } from "../state/lmdb-file.ts"
import { MemoryEngines } from "../state/memory-engine.ts"
import { describeTopology } from "../topology/describe.ts"
import { formatTaskId } from "../topology/naming.ts"
import { findTracing } from "../tracing/find-tracing.ts"
import { makeTopology } from "../topology/topology.ts"
import type { TaskEndpoints } from "./assignor-data.ts"
import { ChangelogReader } from "./changelog-reader.ts"
import { checkEffects } from "./check-effects.ts"
import { checkProtocol, explainFailure } from "./check-protocol.ts"
import { type CloseOptions, Handle, type RunHandle, type WorkersHandle } from "./handle.ts"
import { TaskClaims } from "./claims.ts"
import { startCleaner } from "./clean-state.ts"
import { GlobalTables } from "./global-tables.ts"
import { type Identity, openIdentity } from "./identity.ts"
import { inTurn } from "./in-turn.ts"
import { prepareTopics } from "./internal-topics.ts"
import { joinGroup } from "./join-group.ts"
import { KafkaReader } from "./kafka-reader.ts"
import { makeOutput } from "./make-output.ts"
import { type ResolvedRunOptions, resolveRunOptions, type RunOptions, type WorkersRunOptions } from "./options.ts"
import { partitionName } from "./ports.ts"
import { resolvePatterns, watchPatterns } from "./topic-patterns.ts"
import { RepartitionPurge } from "./purge.ts"
import { LOAD_BYTES_MAX } from "./restore.ts"
import { bindSerdes } from "./serdes.ts"
import { Snapshots } from "./snapshots.ts"
import { Standbys, storedPositions } from "./standbys.ts"
import { startOutput } from "./start-output.ts"
import { allTasks, makeTask, type TaskFactoryOptions } from "./task-factory.ts"
import { DrainTimeout, TaskSet } from "./task-set.ts"
import { WarmUps } from "./warm-ups.ts"
import { Worker } from "./worker.ts"

/** Deleted keys are known for this long in changelogs: a topic's default `delete.retention.ms`. */
const DELETE_RETENTION_MS = 24 * 3_600_000
const RESTORE_POLL_RECORDS = 50_000

/** Which services a pipeline of any kind needs nobody knows. */
type Services<R> = [R] extends [never] ? {} : unknown extends R ? {} : { readonly services: Context.Context<R> }

/** In worker threads, each of which loads the module that exports the pipeline. */
export function run(pipeline: Pipeline<any>, options: WorkersRunOptions): Promise<WorkersHandle>
/**
 * A pipeline whose effects need services is given them; `Streams.layer` is the face that asks for them by layer. Last, since
 * the compiler tells the last one's error when neither fits.
 */
export function run<R>(pipeline: Pipeline<R>, options: RunOptions & Services<R>): Promise<RunHandle>
export async function run(
  pipeline: Pipeline<any>,
  options: RunOptions | WorkersRunOptions,
): Promise<RunHandle | WorkersHandle> {
  if (!("workers" in options)) return await runPipeline(pipeline, options)
  // Loaded only here: threads are Node's.
  const { runInThreads } = await import("../threads/run-in-threads.ts")
  return await runInThreads(pipeline, options)
}

/** A worker thread's place in its process, which holds the directory's lock, the query server and the cleaner of state. */
export interface WorkerSeat {
  readonly identity: Identity
  readonly worker: number
  /** Which worker has which task: see claims.ts. */
  readonly claimed: SharedArrayBuffer
  /** Where the process answers queries. */
  readonly endpoint: string | undefined
  readonly onEndpoints: (endpoints: TaskEndpoints) => void
}

export async function runPipeline(pipeline: Pipeline<any>, given: RunOptions, seat?: WorkerSeat): Promise<Handle> {
  const options = resolveRunOptions(pipeline.name, given)
  const plan = await resolvePatterns(pipeline.plan, options)
  const topology = makeTopology(plan, options.applicationId)
  const effects = await checkEffects(topology, options)
  const { host } = options
  const directory = options.stateDir && `${options.stateDir}/${options.applicationId}`
  const identity = seat?.identity ?? openIdentity(host, directory)
  const place = seat?.worker ?? 0
  const client = new KafkaClient({
    host,
    brokers: options.brokers,
    metadataMaxAgeMs: options.metadataMaxAgeMs,
    clientId: memberName(options, identity, place),
    ...(options.net && { net: options.net }),
    ...(options.security && { security: options.security }),
    ...(options.clientRack !== undefined && { clientRack: options.clientRack }),
    enableMetricsPush: options.enableMetricsPush,
  })
  const aborter = new AbortController()
  const closers: Array<() => Promise<void> | void> = [() => identity.release(), () => client.close()]
  const closeAll = async () => {
    aborter.abort(new Error("the run was closed"))
    await inTurn(closers.toReversed())
  }
  try {
    const engines = options.engines ?? (await openEngines(directory, seat === undefined ? options : undefined))
    if (options.engines === undefined) closers.push(() => engines.close())
    const snapshots = options.snapshots && new Snapshots(options.snapshots, options)
    const tracing = await findTracing(options.applicationId, memberName(options, identity, place))
    const admin = client.admin()
    await checkProtocol(admin, options)
    const { partitions, topicIds, absent } = await prepareTopics(topology, admin, options.createTopics)
    if (absent.length > 0 && place === 0) options.log(absentTopics(absent))
    const serde = await bindSerdes(topology, options.registry)
    const claims = new TaskClaims(allTasks(topology, partitions).map(formatTaskId), place, seat?.claimed)
    const isolation = options.processingGuarantee === "exactly-once" ? "read_committed" : "read_uncommitted"
    const changelogs = new ChangelogReader(() =>
      client.consumer({ isolation, autoOffsetReset: "earliest", maxPollRecords: RESTORE_POLL_RECORDS }),
    )
    closers.push(() => changelogs.close())
    const cluster = new KafkaReader({
      admin,
      changelogs,
      groupId: options.applicationId,
      topicIds,
      isolation,
      signal: aborter.signal,
    })
    const globalTables = new GlobalTables({
      topology,
      partitions,
      client,
      cluster,
      engines,
      serde,
      clock: host.clock,
      isolation,
      deleteRetentionMs: DELETE_RETENTION_MS,
      worker: place,
      ...(options.flushLimits && { flushLimits: options.flushLimits }),
      log: options.log,
      onFailure: (cause) => worker.fail(cause),
    })
    closers.push(() => globalTables.close())
    await globalTables.start()
    const server = options.queries && (await startQueryServer(options.queries))
    if (server !== undefined) closers.push(() => server.close())
    const endpoint = server?.endpoint ?? seat?.endpoint
    let endpoints: TaskEndpoints = {}
    const consumer = joinGroup(client, options, identity, {
      worker: place,
      name: memberName(options, identity, place),
      topology,
      partitions,
      // A copy that is open knows better than its engine how far it is.
      positions: () => Object.fromEntries([...storedPositions(factory, topicIds), ...standbys.positions()]),
      standing: () => standbys.names,
      readableEnds: (changelogPartitions) => cluster.readableEnds(changelogPartitions),
      onCopies: (copies) => worker.follow(copies),
      onEndpoints: (told) => {
        endpoints = told
        seat?.onEndpoints(told)
      },
      onFailure: (failure) => worker.fail(failure),
      ...(endpoint !== undefined && { endpoint }),
    })
    const output = makeOutput(client, options, memberName(options, identity, place), consumer, partitions)
    await startOutput(output, options)
    const tasks = new TaskSet({
      output,
      cluster,
      transactionPrefix: `${identity.processId}-${Buffer.from(host.random.bytes(6)).toString("base64url")}`,
      now: () => host.clock.now(),
      drainWithin: (pending) => within(host.clock, options.transactionTimeoutMs / 2, pending),
      onFenced: () => consumer.startOver(),
      onRewind: (positions) => {
        const assigned = new Set(consumer.assignment().map(partitionName))
        for (const position of positions)
          if (assigned.has(partitionName(position))) consumer.seek(position, position.offset)
      },
    })
    let restoredRecords = 0
    const restoring = new Map<string, RestoreReport>()
    const factory: TaskFactoryOptions = {
      topology,
      partitions,
      cluster,
      output,
      engines,
      effects,
      serde,
      globalTables: globalTables.stores,
      restore: {
        deleteRetentionMs: DELETE_RETENTION_MS,
        now: () => host.clock.now(),
        loadBytesMax: () => LOAD_BYTES_MAX / Math.max(1, restoring.size),
        ...(snapshots && { snapshots }),
      },
      startAt: options.startAt,
      idleAfterMs: options.idleAfterMs,
      maxTaskIdleMs: options.maxTaskIdleMs,
      tracing,
      countsOperators: options.metricsLevel === "debug",
      onRestored: (records) => (restoredRecords += records),
      ...(options.flushLimits && { flushLimits: options.flushLimits }),
      ...(options.taskLimits && { taskLimits: options.taskLimits }),
    }
    const standbys = new Standbys({
      factory,
      changelogs,
      claims,
      clock: host.clock,
      log: options.log,
      onFailure: (cause) => worker.fail(cause),
    })
    closers.push(() => standbys.close())
    const warmUps = new WarmUps({
      topology,
      clock: host.clock,
      standbys,
      acceptableRecoveryLag: options.acceptableRecoveryLag,
      probingRebalanceIntervalMs: options.probingRebalanceIntervalMs,
      readableEnds: (changelogPartitions) => cluster.readableEnds(changelogPartitions),
      rebalance: (reason) => consumer.enforceRebalance(reason),
    })
    closers.push(() => warmUps.close())
    const purge = new RepartitionPurge(topology, admin, tasks, host.clock, options.repartitionPurgeIntervalMs)
    const worker: Worker = new Worker({
      topology,
      partitions,
      consumer,
      output,
      tasks,
      clock: host.clock,
      run: options,
      ...(tracing && { tracing }),
      openTask: async (id, signal) => {
        const name = formatTaskId(id)
        const onProgress = (store: string, partition: number, restored: number, remaining: number) =>
          restoring.set(`${name} ${store}`, { task: name, store, partition, restored, remaining })
        if (!claims.tryAcquire(name)) await claims.acquire(name, host.clock, signal)
        try {
          const replica = await standbys.take(name)
          const task = await makeTask(id, { ...factory, restore: { ...factory.restore, signal, onProgress } }, replica)
          return { task, ends: await cluster.readableEnds(task.group.queues) }
        } catch (failure) {
          claims.release(name)
          throw failure
        } finally {
          for (const key of restoring.keys()) if (key.startsWith(`${name} `)) restoring.delete(key)
        }
      },
      onTaskClosed: (name) => claims.release(name),
      explain: (failure) => explainFailure(failure, options),
      onCommit: async () => {
        handle.committed()
        await purge.run()
      },
      onChange: () => handle.changed(),
      onCopies: (standby, warmup) => {
        standbys.assign(standby)
        warmUps.assign(warmup)
      },
    })
    closers.push(
      watchPatterns({
        plan,
        known: new Set(partitions.keys()),
        applicationId: options.applicationId,
        listTopics: () => admin.listTopics(),
        clock: host.clock,
        intervalMs: options.metadataMaxAgeMs,
        onFound: (found) => worker.fail(found),
      }),
    )
    options.log(
      `application ${options.applicationId}, process ${identity.processId}\n${describeTopology(topology, "text")}`,
    )
    // Of several workers the process cleans, not each of them.
    if (seat === undefined) {
      const isGlobalHere = (store: string, partition: number) =>
        partition === place && topology.globals.some(({ name }) => name === store)
      closers.push(startCleaner({ topology, engines, claims, options, isGlobalHere }))
    }
    if (snapshots !== undefined) {
      snapshots.start(() => tasks.tasks)
      closers.push(() => snapshots.close())
    }
    const queries = new Queries({
      places: {
        topology,
        stores: new StoreDirectory(topology, serde),
        partitions,
        endpoints: () => endpoints,
        state: () => handle.state(),
      },
      globalTables: globalTables.stores,
      tasks,
      copies: standbys,
      opening: () => worker.opening,
    })
    const release = (how: CloseOptions) => inTurn([() => consumer.close(how), () => output.close(), closeAll])
    const copies = () => ({
      restoredRecords,
      standbyTasks: standbys.names.length,
      warmupTasks: warmUps.tasks.length,
    })
    const { applicationId } = options
    const handle: Handle = new Handle({
      applicationId,
      topology,
      worker,
      tasks,
      queries,
      copies,
      skippedOutsideTasks: () => globalTables.skipped,
      endpoint,
      clock: host.clock,
      restoring: () => [...restoring.values()],
      followed: () => standbys.followed,
      readableEnds: (changelogPartitions) => cluster.readableEnds(changelogPartitions),
      onStateChange: options.onStateChange,
      isPersistent: identity.isPersistent,
      release,
    })
    consumer.reportMetrics(() => telemetryMetrics(handle.metrics(), { applicationId, identity, worker: place }))
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
    return handle
  } catch (failure) {
    await closeAll().catch(() => {})
    throw failure
  }
}

/** Client id, `group.instance.id` and transactional id: the same again after a restart, and of this worker alone (E1). */
export const memberName = ({ applicationId }: ResolvedRunOptions, { processId }: Identity, worker: number): string =>
  `${applicationId}-${processId}-${worker}`

/** A worker thread, without options, opens what its process has looked at: a file that others write must not be judged. */
export async function openEngines(
  directory: string | undefined,
  options: ResolvedRunOptions | undefined,
): Promise<StateEngines> {
  if (directory === undefined) return new MemoryEngines()
  // Loaded only here: pipelines without a state directory run where the native library does not.
  const { LmdbEngines } = await import("../state/lmdb-engine.ts")
  const path = `${directory}/state.lmdb`
  const fault = options && lmdbFileFault(options.host.disk, path)
  if (fault !== undefined) {
    options!.host.disk.remove(path)
    options!.host.disk.remove(`${path}-lock`)
    options!.log(`state in ${path} is damaged, ${fault}: it is dropped, and rebuilt from the changelogs`)
  }
  return new LmdbEngines(path)
}

/** Loaded only here: the HTTP server is Node's, and a pipeline that nobody asks runs without. */
export async function startQueryServer(listen: QueriesListen): Promise<QueryServer> {
  const { QueryServer } = await import("../query/http-server.ts")
  return await QueryServer.start(listen)
}

/** Commits wait for effects and subscriptions this long, so that the transaction can still be aborted in order. */
async function within(clock: Clock, timeoutMs: number, pending: Promise<void>): Promise<number> {
  const { promise, reject } = Promise.withResolvers<never>()
  const startedAt = clock.monotonic()
  const timer = clock.setTimer(timeoutMs, () => {
    reject(new DrainTimeout(`effects and rx results did not end within ${timeoutMs} ms, half the transaction timeout`))
  })
  try {
    await Promise.race([pending, promise])
    return (clock.monotonic() - startedAt) / timeoutMs
  } finally {
    timer.cancel()
    pending.catch(() => {})
  }
}

const absentTopics = (topics: readonly string[]): string =>
  `nobody has created ${topics.map((topic) => `"${topic}"`).join(", ")} yet, which the pipeline writes to: ` +
  "records wait for a topic until it is there"
