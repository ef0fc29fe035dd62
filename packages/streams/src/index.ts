export { type Duration } from "./dsl/duration.ts"
export {
  type FailedRecord,
  type FailureAction,
  type FailureHandler,
  type FailureHandlers,
  guard,
} from "./dsl/failure.ts"
export { isPipeline, pipeline, type Pipeline, type PipelineOptions } from "./dsl/pipeline.ts"
export type { OperatorWrapper, WrappedOperator } from "./dsl/wrap.ts"
export type { Headers, Rec, Windowed } from "./dsl/record.ts"
export type {
  Aggregable,
  Cogrouped,
  GlobalTable,
  GroupedTable,
  Keyed,
  Sink,
  Stream,
  Table,
  Windowing,
} from "./dsl/stream.ts"
export {
  type EntryWithHeaders,
  type KeyValueState,
  type KeyValueStateWithHeaders,
  keyValueStore,
  type StampedWithHeaders,
  type StoreDefinition,
  type StoreOptions,
  type WindowState,
  type WindowStateWithHeaders,
  windowStore,
} from "./dsl/store.ts"
export { type VersionedState, versionedStore } from "./dsl/versioned-store.ts"
export {
  type BufferLimits,
  type TimeLimitOptions,
  type UntilTimeLimit,
  untilTimeLimit,
  type UntilWindowCloses,
  untilWindowCloses,
} from "./dsl/suppressed.ts"
export type { IdleOptions, IdlePolicy } from "./dsl/idle.ts"
export type { InvalidTimestampPolicy, TimestampExtractor, TimestampOptions } from "./dsl/timestamp.ts"
export { topic, type Topic, topicPattern, type TopicPattern } from "./dsl/topic.ts"
export {
  type Emit,
  hopping,
  session,
  type SessionWindows,
  sliding,
  type SlidingWindows,
  type TimeWindows,
  tumbling,
  unlimited,
  type WindowOptions,
} from "./dsl/windows.ts"
export type { LateTo } from "./dsl/late-to.ts"
export * from "./errors.ts"
export { type AsyncRec, mapAsync } from "./map-async.ts"
export { type CallFailureAction, mapEffect, type MapEffectOptions, type RetryOptions } from "./map-effect.ts"
export * from "./operators/index.ts"
export { PROMETHEUS_TYPE } from "@millrace/metrics"
export { prometheusText } from "./metrics/prometheus.ts"
export type { RestoreReport, RunMetrics, StoreReport, TaskReport } from "./metrics/report.ts"
export type { CloseOptions, RunHandle, Running, WorkersHandle } from "./run/handle.ts"
export type { RunState } from "./run/state.ts"
export { run } from "./run/run.ts"
export type { AssignmentRules, RackAwareAssignmentStrategy } from "./assignment/assignment.ts"
export { TaskAssignmentError } from "./assignment/check-assignment.ts"
export type {
  ApplicationState,
  AssignmentErrorKind,
  ProcessAssignment,
  ProcessState,
  TaskAssignment,
  TaskAssignor,
  TaskInfo,
  TaskPartition,
} from "./assignment/task-assignor.ts"
export type { Change } from "./query/changes.ts"
export type { Position } from "./query/position.ts"
export type { StoreLag } from "./query/lags.ts"
export type { EndpointMetadata, KeyMetadata } from "./query/places.ts"
export type { Query, QueryOptions, QueryResult, Row, Rows } from "./query/query.ts"
export type { StoreView } from "./query/store-view.ts"
export type { ThreadStoreView } from "./threads/store-view.ts"
export type { RunOptions, UncaughtAction, WorkersRunOptions } from "./run/options.ts"
export type { SnapshotsOptions } from "./run/snapshots.ts"
export { rx } from "./rx.ts"
export type { S3Location } from "./snapshots/s3.ts"
export type { SnapshotStore } from "./snapshots/snapshot-store.ts"
export type { Version } from "./state/versioned-store.ts"
export { canonicalKey, type CanonicalKey } from "./serde/canonical-key.ts"
export { packed } from "./serde/packed.ts"
export { describeTopology, type DescribeFormat } from "./topology/describe.ts"
export type { StoreKeeping } from "./topology/node.ts"
export { makeTopology, type Topology } from "./topology/topology.ts"
