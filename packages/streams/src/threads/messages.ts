/**
 * What the process and its worker threads tell each other.
 */
import type { RegistryClientOptions } from "@millrace/schema"
import type { RunMetrics } from "../metrics/report.ts"
import type { StoreLag } from "../query/lags.ts"
import type { Query, QueryOptions } from "../query/query.ts"
import type { TaskEndpoints } from "../run/assignor-data.ts"
import type { CloseOptions } from "../run/handle.ts"
import type { Identity } from "../run/identity.ts"
import type { RunOptions, UncaughtAction } from "../run/options.ts"
import type { RunState } from "../run/state.ts"
import type { PostedFailure } from "./failure.ts"
import type { PackedChange, PackedResult } from "./rows.ts"

/** What cannot be posted: the thread makes it, or asks for it. */
export type ModuleOptions = Pick<
  RunOptions,
  "services" | "effects" | "registry" | "security" | "snapshots" | "assignor"
>

export type PostedOptions = Omit<
  RunOptions,
  | Exclude<keyof ModuleOptions, "security" | "snapshots">
  | "host"
  | "net"
  | "engines"
  | "queries"
  | "onUncaught"
  | "onStateChange"
  | "log"
>

/** With which a thread begins. */
export interface ThreadData {
  readonly module: string
  readonly pipeline: string
  readonly options: PostedOptions
  readonly registry: RegistryClientOptions | undefined
  /** The process proves itself with a token of its own, and so must the thread. */
  readonly needsSecurity: boolean
  readonly identity: Pick<Identity, "processId" | "isPersistent">
  readonly worker: number
  readonly claimed: SharedArrayBuffer
  readonly endpoint: string | undefined
  readonly isPaused: boolean
  readonly asksWhenUncaught: boolean
  /** The directory of the process's compile cache, where it has one. */
  readonly compileCache: string | undefined
}

export type Question =
  | { readonly what: "query"; readonly store: string; readonly query: Query; readonly options: QueryOptions }
  | { readonly what: "here"; readonly store: string; readonly allowStale: boolean }
  | { readonly what: "lags" }

export interface Answers {
  readonly query: PackedResult
  readonly here: readonly number[]
  readonly lags: readonly StoreLag[]
}

export type ToThread =
  | { readonly kind: "stop"; readonly how: CloseOptions }
  | { readonly kind: "pause"; readonly isPaused: boolean }
  | { readonly kind: "uncaught"; readonly id: number; readonly action: UncaughtAction }
  | { readonly kind: "ask"; readonly id: number; readonly question: Question }
  /** Tell the changes of a store, under this number, until the end of it. */
  | { readonly kind: "watch"; readonly id: number; readonly store: string }
  | { readonly kind: "unwatch"; readonly id: number }
  /** Begin with a partition. */
  | { readonly kind: "turn"; readonly id: number; readonly partition: number }

/** Of the changes that a thread was asked to tell. */
export type WatchMessage =
  | { readonly kind: "changes"; readonly id: number; readonly changes: readonly PackedChange[] }
  /** The thread has the partition, and asks for its turn. */
  | { readonly kind: "here"; readonly id: number; readonly partition: number }
  /** It does not have it any more; all changes of it were told. */
  | { readonly kind: "gone"; readonly id: number; readonly partition: number }
  | { readonly kind: "unwatched"; readonly id: number; readonly failure: PostedFailure }

export type FromThread =
  /** The topics are there, the producer has its transactional id; the group is being joined. */
  | { readonly kind: "started" }
  | { readonly kind: "log"; readonly message: string }
  | { readonly kind: "state"; readonly state: RunState }
  | { readonly kind: "metrics"; readonly metrics: RunMetrics }
  | { readonly kind: "endpoints"; readonly endpoints: TaskEndpoints }
  | { readonly kind: "uncaught"; readonly id: number; readonly failure: PostedFailure; readonly count: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answers[keyof Answers] | PostedFailure }
  | WatchMessage
  | { readonly kind: "closed"; readonly metrics: RunMetrics | undefined }
  | { readonly kind: "failed"; readonly failure: PostedFailure; readonly metrics: RunMetrics | undefined }
