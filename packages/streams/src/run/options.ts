/**
 * How a pipeline is run. Names are Kafka Streams' in camel case where it has them.
 */
import type { Context } from "effect"
import type { ClientSecurity } from "@millrace/client"
import type { Address, Host, Net } from "@millrace/host"
import type { Registry } from "@millrace/schema"
import { PipelineError } from "../errors.ts"
import { assertName } from "../dsl/topic.ts"
import type { FlushLimits } from "../state/committed.ts"
import type { StateEngines } from "../state/engine.ts"
import type { QueriesListen } from "../query/http-server.ts"
import type { TaskLimits } from "../task/limits.ts"
import type { RackAwareAssignmentStrategy } from "../assignment/assignment.ts"
import type { TaskAssignor } from "../assignment/task-assignor.ts"
import type { SnapshotsOptions } from "./snapshots.ts"
import type { RunState } from "./state.ts"
import type { EffectPort } from "../task/effects.ts"

export type UncaughtAction = "stop" | "replace" | "stop-application"

export interface RunOptions {
  readonly host: Host
  readonly brokers: string | readonly string[] | readonly Address[]
  /** TLS and SASL towards the brokers; default none. `@millrace/client/security` makes it of Kafka's settings. */
  readonly security?: ClientSecurity
  /** Another network than the host's: the in-memory one, say. */
  readonly net?: Net
  /** Prefix of internal topics, group id, and what transactional ids begin with. Default: the pipeline's name. */
  readonly applicationId?: string
  /** Where state and identity live; without it state is in memory, and every start is a new process to the group. */
  readonly stateDir?: string
  /** Copies of the state of tasks, for whoever opens them where none of it is. */
  readonly snapshots?: SnapshotsOptions
  /** Other engines than those that `stateDir` gives. */
  readonly engines?: StateEngines
  readonly processingGuarantee?: "exactly-once" | "at-least-once"
  readonly commitIntervalMs?: number
  readonly transactionTimeoutMs?: number
  /**
   * A partition of a source topic that has had no record for so long holds event time back no more, where its source does
   * not say otherwise (`idleAfter`); 0 never.
   */
  readonly idleAfterMs?: number
  /**
   * How long a task that has records waits, by the wall clock, for a partition of its own that is read to its end: what comes
   * there may be earlier, such as the row that a record is to meet (`max.task.idle.ms`). -1 waits for none, not even for those
   * that are not read to their end.
   */
  readonly maxTaskIdleMs?: number
  /** Where partitions without a committed offset begin. */
  readonly startAt?: "earliest" | "latest"
  /** Schemas are registered and looked up here. */
  readonly registry?: Registry
  /** What the pipeline's effects need. */
  readonly services?: Context.Context<any>
  /** Runs the effects of `mapEffect` in another way than Effect's runtime with these services. */
  readonly effects?: EffectPort
  /**
   * Who decides which tasks run where (`group.protocol`): "classic", the group's leader with our assignor, on any cluster;
   * "streams", the broker (KIP-1071), which gives the rules of the assignment too: standby replicas, session timeout.
   */
  readonly groupProtocol?: "classic" | "streams"
  readonly sessionTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  /** How old metadata may get: how long an input topic that grows goes unnoticed. */
  readonly metadataMaxAgeMs?: number
  /** Records of one partition that wait before its fetching pauses. */
  readonly bufferedRecordsMax?: number
  /** How long one task's transactions may be aborted again and again before the run fails. */
  readonly taskTimeoutMs?: number
  /** Repartition topics are purged of what was committed; 0 never. */
  readonly repartitionPurgeIntervalMs?: number
  /** Copies of every task's state in other processes, which take over at once; 0 none. */
  readonly standbyReplicas?: number
  /** A task moves only to a process whose state lacks no more than so many changelog records; until then it warms up. */
  readonly acceptableRecoveryLag?: number
  /** Tasks of the application that warm up elsewhere at the same time. */
  readonly maxWarmupReplicas?: number
  /** While tasks warm up, the group is balanced anew this often, should nothing else have done so. */
  readonly probingRebalanceIntervalMs?: number
  /** Where this process stands, such as `{ zone: "eu-1a" }`. */
  readonly clientTags?: Readonly<Record<string, string>>
  /** Tags in which copies of a task should differ. */
  readonly rackAwareAssignmentTags?: readonly string[]
  /** The rack that this process is on, as brokers say theirs (`client.rack`, `broker.rack`). */
  readonly clientRack?: string
  /**
   * Whether tasks change places so that less is read across racks (KIP-925): "min-traffic" as far as can be,
   * "balance-subtopology" only among tasks of one sub-topology, whose spread stays. All processes tell their `clientRack`.
   */
  readonly rackAwareAssignmentStrategy?: RackAwareAssignmentStrategy
  /** What a partition costs that a task with state reads across racks, against the cost of moving a task. */
  readonly rackAwareAssignmentTrafficCost?: number
  /** What moving a task with state costs. */
  readonly rackAwareAssignmentNonOverlapCost?: number
  /** Decides which task runs where, in place of the built-in assignor (KIP-924). The same in all processes. */
  readonly assignor?: TaskAssignor
  /** Creates source topics that do not exist; without it that is an error. */
  readonly createTopics?: { readonly partitions: number }
  readonly flushLimits?: FlushLimits
  readonly taskLimits?: Partial<TaskLimits>
  /** Answers interactive queries over HTTP, and forwards those for other processes' partitions to them. */
  readonly queries?: QueriesListen
  /** Pushes figures to a cluster that asks for them (KIP-714, `enable.metrics.push`); default true. */
  readonly enableMetricsPush?: boolean
  /** "debug" counts what each operator receives too, at some cost per record (`metrics.recording.level`). */
  readonly metricsLevel?: "info" | "debug"
  /** Local state of tasks that have been elsewhere for so long is freed (`state.cleanup.delay.ms`). */
  readonly stateCleanupDelayMs?: number
  /**
   * What becomes of a failure that nothing else handled: `stop` ends the run with it (the default), `replace` rolls back,
   * closes all tasks of this process and opens them again from what is committed, with growing pauses. `stop-application`
   * ends the run here, and with groupProtocol "streams" in all processes of the application. `count` is how often in a
   * row, without a commit between.
   */
  readonly onUncaught?: (failure: unknown, count: number) => UncaughtAction | Promise<UncaughtAction>
  /** Told of each change of the run's state. */
  readonly onStateChange?: (state: RunState, before: RunState) => void
  /** One line per event worth telling. */
  readonly log?: (message: string) => void
}

/**
 * Runs the pipeline in so many worker threads (`num.stream.threads`), each a member of the group with its own consumer and
 * transactional producer; this thread watches over them.
 *
 * Each thread loads `module`, usually `import.meta.url` of the file that defines the pipeline, and takes the pipeline of
 * that name from its exports. What cannot be sent to a thread (`services`, `effects`, a registry of one's own) the module
 * exports as `runOptions`. A module that calls `run` itself must do so on the main thread only.
 */
export interface WorkersRunOptions extends RunOptions {
  readonly workers: number
  readonly module: string | URL
}

type Optional =
  | "net"
  | "security"
  | "stateDir"
  | "snapshots"
  | "engines"
  | "registry"
  | "effects"
  | "services"
  | "clientRack"
  | "assignor"
  | "createTopics"
  | "flushLimits"
  | "taskLimits"
  | "queries"
  | "onUncaught"

export interface ResolvedRunOptions extends Required<Omit<RunOptions, Optional>>, Pick<RunOptions, Optional> {}

export const TRANSACTION_TIMEOUT_MS = 10_000

export function resolveRunOptions(pipeline: string, options: RunOptions): ResolvedRunOptions {
  const resolved = {
    applicationId: pipeline,
    processingGuarantee: "exactly-once" as const,
    commitIntervalMs: 100,
    transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
    idleAfterMs: 0,
    maxTaskIdleMs: 0,
    startAt: "earliest" as const,
    groupProtocol: "classic" as const,
    sessionTimeoutMs: 45_000,
    heartbeatIntervalMs: 1_000,
    metadataMaxAgeMs: 300_000,
    bufferedRecordsMax: 10_000,
    taskTimeoutMs: 300_000,
    repartitionPurgeIntervalMs: 30_000,
    metricsLevel: "info" as const,
    enableMetricsPush: true,
    stateCleanupDelayMs: 600_000,
    onStateChange: () => {},
    standbyReplicas: 0,
    acceptableRecoveryLag: 10_000,
    maxWarmupReplicas: 2,
    probingRebalanceIntervalMs: 600_000,
    clientTags: {},
    rackAwareAssignmentTags: [],
    rackAwareAssignmentStrategy: "none" as const,
    rackAwareAssignmentTrafficCost: 10,
    rackAwareAssignmentNonOverlapCost: 1,
    log: () => {},
    ...options,
  }
  assertName("application", resolved.applicationId)
  const { commitIntervalMs, transactionTimeoutMs, sessionTimeoutMs } = resolved
  if (commitIntervalMs >= transactionTimeoutMs) {
    throw new PipelineError(
      `commitIntervalMs ${commitIntervalMs} must be below transactionTimeoutMs ${transactionTimeoutMs}: ` +
        "the broker would abort every transaction before it commits",
    )
  }
  const asked = resolved.groupProtocol === "streams" ? askedOfTheBroker(resolved) : undefined
  if (asked !== undefined) {
    const [name, setting] = asked
    throw new PipelineError(
      `${name} is the broker's to say with groupProtocol "streams": set streams.${setting} of group ` +
        `"${resolved.applicationId}", or group.streams.${setting} of the brokers`,
    )
  }
  checkAssignor(resolved)
  if (transactionTimeoutMs > sessionTimeoutMs) {
    throw new PipelineError(
      `transactionTimeoutMs ${transactionTimeoutMs} must not exceed sessionTimeoutMs ${sessionTimeoutMs}: ` +
        "others would wait for the transaction of a member that is gone",
    )
  }
  return resolved
}

/** An option that means nothing in a streams group, and the group's setting that says it. */
function askedOfTheBroker(options: ResolvedRunOptions): readonly [name: string, setting: string] | undefined {
  if (options.standbyReplicas > 0) return ["standbyReplicas", "num.standby.replicas"]
  if (options.rackAwareAssignmentTags.length > 0) return ["rackAwareAssignmentTags", "rack.aware.assignment.tags"]
  if (options.rackAwareAssignmentStrategy !== "none") return ["rackAwareAssignmentStrategy", "assignor.name"]
  if (options.assignor !== undefined) return ["assignor", "assignor.name"]
  return undefined
}

function checkAssignor(options: ResolvedRunOptions): void {
  const { assignor, clientRack, rackAwareAssignmentStrategy: strategy } = options
  if (assignor !== undefined && (typeof assignor.name !== "string" || assignor.name === "")) {
    throw new PipelineError("assignor: it needs a name, by which the processes of the application agree on it")
  }
  if (strategy !== "none" && !clientRack) {
    throw new PipelineError(
      `rackAwareAssignmentStrategy "${strategy}" needs clientRack, the rack that this process is on`,
    )
  }
  for (const name of ["rackAwareAssignmentTrafficCost", "rackAwareAssignmentNonOverlapCost"] as const) {
    if (!Number.isSafeInteger(options[name]) || options[name] < 0)
      throw new PipelineError(`${name} ${options[name]}: expected a whole number, at least 0`)
  }
}
