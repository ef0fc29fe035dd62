/**
 * The port through which operators run what takes time: Effect's runtime in production, anything in a test.
 *
 * The engine knows no Effect: a job is opaque. Cancelling a job interrupts it; `done` is then not called any more.
 */
export type JobResult =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly error: unknown
      /** The job's own failure, or a `CallTimeout`, as against a defect. */ readonly expected: boolean
    }

export interface EffectPort {
  /** Starts a job; calls `done` once, now or later. Answers how to cancel it. */
  start(job: unknown, done: (result: JobResult) => void): () => void
}
