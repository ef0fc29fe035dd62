/**
 * Runs the effects of `mapEffect`: one of two files of the runtime that call Effect.
 *
 * Sleeps and timeouts go by the host's clock and fibers yield to microtasks, so that time is virtual where the host's is
 * and one seed gives one order. The effect's own failure and a timeout are told from defects and interruptions.
 */
import type { Clock as HostClock } from "@millrace/host"
import { Cause, Clock, Context, Duration, Effect, Exit, Option, Scheduler } from "effect"
import { CallTimeout, PipelineError } from "../errors.ts"
import { AsyncCall, type EffectJob } from "../map-effect.ts"
import type { EffectPort, JobResult } from "../task/effects.ts"

/** The services that the pipeline's effects need. */
export function effectPort(clock: HostClock, services: Context.Context<never> | undefined = undefined): EffectPort {
  const context = Context.add(services ?? Context.empty(), Clock.Clock, effectClock(clock))
  const scheduler = new Scheduler.MixedScheduler("sync")
  return {
    start(job, done) {
      const { make, timeoutMs, retry } = job as EffectJob
      // Which services it needs, the pipeline's type says: `run` asked for them.
      const once = Effect.suspend(() => effectOf(make())) as Effect.Effect<unknown, unknown>
      const effect = retry === undefined ? once : Effect.retry(once, retry as Effect.Retry.Options<unknown>)
      const fiber = Effect.runForkWith(context)(effect, { scheduler })
      const dueAt = clock.monotonic() + timeoutMs
      const expire = () => {
        stop()
        fiber.interruptUnsafe()
        done({ ok: false, error: new CallTimeout(timeoutMs), expected: true })
      }
      // A process that stood still finds its timers due before it has looked at what arrived meanwhile: the effect gets
      // that time again, and a turn of the event loop in any case.
      let timer = clock.setTimer(timeoutMs, () => {
        timer = clock.setTimer(Math.min(timeoutMs, Math.floor(clock.monotonic() - dueAt)), expire)
      })
      const unobserve = fiber.addObserver((exit) => {
        timer.cancel()
        done(resultOf(exit))
      })
      const stop = () => {
        timer.cancel()
        unobserve()
      }
      return () => {
        stop()
        fiber.interruptUnsafe()
      }
    },
  }
}

const effectOf = (made: ReturnType<EffectJob["make"]>) =>
  made instanceof AsyncCall ? Effect.tryPromise({ try: made.run, catch: (failure) => failure }) : made

function resultOf(exit: Exit.Exit<unknown, unknown>): JobResult {
  if (Exit.isSuccess(exit)) return { ok: true, value: exit.value }
  const failure = Cause.findErrorOption(exit.cause)
  if (Option.isSome(failure)) return { ok: false, error: failure.value, expected: true }
  const defect = Cause.squash(exit.cause)
  if (defect instanceof Error && defect.message.startsWith(NO_SERVICE)) {
    const how = "give it to run({ services }), or export const runOptions = { services } for millrace run"
    return { ok: false, error: new PipelineError(`${defect.message}: ${how}`, { cause: defect }), expected: false }
  }
  return { ok: false, error: defect, expected: false }
}

/** Effect's words. */
const NO_SERVICE = "Service not found"

function effectClock(clock: HostClock): Clock.Clock {
  const millis = () => clock.now()
  const nanos = () => BigInt(Math.round(clock.now() * 1e6))
  const monotonic = () => BigInt(Math.round(clock.monotonic() * 1e6))
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const timer = clock.setTimer(Duration.toMillis(duration), () => resume(Effect.void))
        return Effect.sync(() => timer.cancel())
      }),
  }
}
