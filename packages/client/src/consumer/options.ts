/**
 * A consumer's settings, with defaults. Names are Kafka's in camel case.
 */
import type { Assignor } from "../group/assignor.ts"
import { rangeAssignor } from "../group/range.ts"
import type { StreamsGroupOptions } from "../group/streams/options.ts"

export type OffsetReset = "earliest" | "latest" | "none"

export interface ConsumerOptions {
  /** Without it only `assign` works, and nothing can be committed. */
  readonly groupId?: string
  /** Static membership (KIP-345): a restart within the session timeout causes no rebalance. */
  readonly groupInstanceId?: string
  readonly isolation?: "read_committed" | "read_uncommitted"
  /** Where to begin without a committed offset, or when it left the log. */
  readonly autoOffsetReset?: OffsetReset
  /** Strategies in order of preference; the group takes one that all members have. */
  readonly assignors?: readonly Assignor[]
  /** Makes it a member of a streams group (KIP-1071): the broker hands out tasks, and assignors have no say. */
  readonly streams?: StreamsGroupOptions
  readonly sessionTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  /** How long others wait for this member to give up its partitions. Default: `maxPollIntervalMs`. */
  readonly rebalanceTimeoutMs?: number
  /** A member that does not poll for this long leaves the group. */
  readonly maxPollIntervalMs?: number
  /** Records and bytes that one poll answers, counted in whole batches. */
  readonly maxPollRecords?: number
  readonly maxPollBytes?: number
  readonly fetchMinBytes?: number
  readonly fetchMaxBytes?: number
  readonly fetchMaxWaitMs?: number
  readonly maxPartitionFetchBytes?: number
  /** Fetched ahead and not yet polled. */
  readonly maxBufferedBytes?: number
  readonly checkCrcs?: boolean
  /** Commits positions by itself, when polling and when partitions go. Default: false. */
  readonly autoCommit?: boolean
  readonly autoCommitIntervalMs?: number
  /** Whether `close` leaves the group. Default: dynamic members do, static ones do not. */
  readonly leaveOnClose?: boolean
}

export interface ResolvedConsumerOptions extends Required<
  Omit<ConsumerOptions, "groupId" | "groupInstanceId" | "streams">
> {
  readonly groupId: string | undefined
  readonly streams: StreamsGroupOptions | undefined
  readonly groupInstanceId: string | null
}

const MIB = 1024 * 1024

export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  const maxPollIntervalMs = options.maxPollIntervalMs ?? 300_000
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 45_000
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? Math.min(3_000, Math.floor(sessionTimeoutMs / 3))
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new TypeError(
      `heartbeatIntervalMs: ${heartbeatIntervalMs} must be below sessionTimeoutMs ${sessionTimeoutMs}`,
    )
  }
  const assignors = options.assignors ?? [rangeAssignor]
  if (assignors.length === 0) throw new TypeError("assignors: at least one is needed")
  if (options.autoCommit && options.groupId === undefined) throw new TypeError("autoCommit: needs a groupId")
  return {
    groupId: options.groupId,
    streams: options.streams,
    groupInstanceId: options.groupInstanceId ?? null,
    isolation: options.isolation ?? "read_committed",
    autoOffsetReset: options.autoOffsetReset ?? "latest",
    assignors,
    sessionTimeoutMs,
    heartbeatIntervalMs,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? maxPollIntervalMs,
    maxPollIntervalMs,
    maxPollRecords: options.maxPollRecords ?? 10_000,
    maxPollBytes: options.maxPollBytes ?? 8 * MIB,
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchMaxBytes: options.fetchMaxBytes ?? 16 * MIB,
    fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
    maxPartitionFetchBytes: options.maxPartitionFetchBytes ?? MIB,
    maxBufferedBytes: options.maxBufferedBytes ?? 64 * MIB,
    checkCrcs: options.checkCrcs ?? true,
    autoCommit: options.autoCommit ?? false,
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? 5_000,
    leaveOnClose: options.leaveOnClose ?? options.groupInstanceId === undefined,
  }
}
