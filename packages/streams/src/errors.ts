/**
 * What goes wrong in a pipeline, in three kinds: it was written wrongly (`PipelineError`, before anything runs), a record
 * or a user's function failed while it ran (`ProcessingError`), or its state cannot be used (`StateError`).
 *
 * Every message names the pipeline and the operator, and says what to do where that is known.
 */

/** The pipeline as written cannot run: a name twice, a missing serde, topics that are not co-partitioned. */
export class PipelineError extends Error {
  override readonly name = "PipelineError"
}

/** Where in a pipeline, and at which record, processing failed. */
export interface ProcessingSite {
  readonly pipeline: string
  readonly operator: string
  /** Or what was at work, where it was no record: a timer, a punctuation. */
  readonly topic: string
  readonly partition: number
  /** -1 where it was no record. */
  readonly offset: number
}

/** A record could not be processed: a callback threw, bytes did not decode, a value did not encode. */
export class ProcessingError extends Error {
  override readonly name = "ProcessingError"
  readonly site: ProcessingSite
  constructor(site: ProcessingSite, cause: unknown) {
    super(
      `pipeline "${site.pipeline}", operator "${site.operator}", ` +
        `${site.offset < 0 ? `${site.topic} of partition ${site.partition}` : `record ${site.topic}-${site.partition}@${site.offset}`}: ${reasonOf(cause)}`,
      { cause },
    )
    this.site = site
  }
}

/** With what lies behind it, where it is not told yet: `fetch failed` alone helps nobody. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const { message } = cause
  if (cause.cause === undefined) return message || codeOf(cause)
  const behind = reasonOf(cause.cause)
  return behind === "" || message.includes(behind) ? message : `${message}: ${behind}`
}

/** Several failed attempts to connect are one error without a message. */
const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : error.name)

/** A call of `mapAsync` or `mapEffect`, its retries included, gave no result in the time it had. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout"
  constructor(timeoutMs: number) {
    super(`no result within ${timeoutMs} ms, retries included`)
  }
}

/** Local state that cannot be used: locked by another process, written by something else, or past a limit. */
export class StateError extends Error {
  override readonly name = "StateError"
}

/** What was read from disk is not what was written there: the store is dropped, and rebuilt from its changelog. */
export class CorruptState extends StateError {
  readonly store: string
  readonly partition: number
  constructor(store: string, partition: number) {
    super(`store "${store}", partition ${partition}: a value on disk is damaged, its checksum does not fit`)
    this.store = store
    this.partition = partition
  }
}

/** What is of this kind in a failure, or behind it, where a user's function may have thrown it on as another. */
export function causeOf<E extends Error>(failure: unknown, kind: abstract new (...args: any[]) => E): E | undefined {
  for (let cause = failure; cause instanceof Error; cause = cause.cause) if (cause instanceof kind) return cause
  return undefined
}

/** The damage behind a failure, if that is what it is. */
export const corruptionOf = (failure: unknown): CorruptState | undefined => causeOf(failure, CorruptState)

/** A schema was found missing in the middle of a record. Abort, then `resolve`, then process the record again. */
export class InterruptedRecord extends Error {
  override readonly name = "InterruptedRecord"
  readonly resolve: () => Promise<void>
  constructor(cause: Error & { resolve(): Promise<void> }) {
    super(cause.message, { cause })
    this.resolve = () => cause.resolve()
  }
}

/** A worker thread ended without being told to. What it had processed and not committed is processed again. */
export class WorkerDied extends Error {
  override readonly name = "WorkerDied"
  constructor(worker: number, cause: unknown) {
    super(`worker ${worker} died: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
