/**
 * The face for those who write Effect: a running pipeline as a service.
 *
 *     const program = Effect.gen(function* () {
 *       const streams = yield* Streams
 *       yield* streams.done
 *     }).pipe(Effect.provide(Streams.layer(pipeline, options)))
 *
 * The layer needs what the pipeline's effects need; it is up when the group was joined and down when the last transaction
 * has been committed. A module of its own, since pipelines without effects are not to pay for loading Effect.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { Pipeline } from "./dsl/pipeline.ts"
import { effectPort } from "./run/effects.ts"
import type { RunOptions } from "./run/options.ts"
import type { RunMetrics } from "./metrics/report.ts"
import type { RunHandle } from "./run/handle.ts"
import type { RunState } from "./run/state.ts"
import { runPipeline } from "./run/run.ts"

/** The pipeline could not be started, or ended by itself. */
export class StreamsFailure extends Schema.TaggedError<StreamsFailure>()("StreamsFailure", {
  message: Schema.String,
  cause: Schema.Unknown,
}) {}

export interface RunningStreams {
  readonly applicationId: string
  readonly state: Effect.Effect<RunState>
  /** Completes when it is running, at once where it is; fails with what ended the run before. */
  readonly untilRunning: Effect.Effect<void, StreamsFailure>
  readonly metrics: Effect.Effect<RunMetrics>
  /** Completes when the run was closed, fails with what ended it. */
  readonly done: Effect.Effect<void, StreamsFailure>
}

export class Streams extends Context.Service<Streams, RunningStreams>()("@millrace/streams/Streams") {
  static layer<R>(
    pipeline: Pipeline<R>,
    options: Omit<RunOptions, "effects">,
  ): Layer.Layer<Streams, StreamsFailure, R> {
    return Layer.effect(Streams)(
      Effect.gen(function* () {
        const services = yield* Effect.context<R>()
        const effects = effectPort(options.host.clock, services as Context.Context<never>)
        const handle = yield* Effect.acquireRelease(
          attempt(() => runPipeline(pipeline, { ...options, effects })),
          // What went wrong is told by `done`; here the rest is taken down.
          (running) => Effect.promise(() => running.close().catch(() => {})),
        )
        return describe(handle)
      }),
    )
  }
}

const describe = (handle: RunHandle): RunningStreams => ({
  applicationId: handle.applicationId,
  state: Effect.sync(() => handle.state()),
  untilRunning: attempt(() => handle.untilRunning()),
  metrics: Effect.sync(() => handle.metrics()),
  done: attempt(() => handle.done),
})

const attempt = <T>(run: () => Promise<T>): Effect.Effect<T, StreamsFailure> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new StreamsFailure({ message: cause instanceof Error ? cause.message : String(cause), cause }),
  })
