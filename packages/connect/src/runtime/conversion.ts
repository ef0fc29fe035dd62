/**
 * Records converted under the connector's error policy.
 *
 * The straight way is synchronous: no promise a record. Only what throws goes the long way, where schemas are awaited,
 * passing faults are repeated, and the policy decides whether the record is skipped or the task fails.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { type Converter, pendingSchema } from "../converter/converter.ts"
import { isRetriable } from "../errors/retriable.ts"
import { type ErrorPolicy, judge, type Stage } from "../errors/tolerance.ts"
import type { Log } from "../log.ts"

export interface ConversionOptions {
  readonly host: Host
  readonly signal: AbortSignal
  readonly policy: ErrorPolicy
  readonly logErrors: boolean
  readonly log: Log
}

/** Keeps the stage that a conversion is in, so that what it throws can be placed. */
export class Conversion {
  readonly #options: ConversionOptions
  stage: Stage = "VALUE_CONVERTER"
  constructor(options: ConversionOptions) {
    this.#options = options
  }

  /**
   * After `run` threw `first`: runs it again as often as it makes sense. Undefined: the record is to be skipped, `skipped`
   * was told why. Rejects with what the task is to fail with.
   */
  async recover<T>(
    first: unknown,
    run: () => T,
    skipped: (error: Error, stage: Stage) => void,
  ): Promise<T | undefined> {
    const { clock, random } = this.#options.host
    const startedAt = clock.monotonic()
    let failure = first
    for (let attempts = 1; ;) {
      const resolve = pendingSchema(failure)
      try {
        await resolve?.()
        if (resolve) return run()
      } catch (error) {
        failure = error
        if (pendingSchema(error)) continue
      }
      const elapsedMs = clock.monotonic() - startedAt
      const facts = { stage: this.stage, retriable: isRetriable(failure), attempts, elapsedMs }
      const verdict = judge(this.#options.policy, facts, random)
      if (verdict.type === "fail") throw failure
      if (verdict.type === "skip") {
        this.#tolerated(failure as Error)
        skipped(failure as Error, this.stage)
        return undefined
      }
      await sleep(clock, verdict.delayMs, this.#options.signal)
      attempts++
      try {
        return run()
      } catch (error) {
        failure = error
      }
    }
  }

  #tolerated(error: Error): void {
    if (!this.#options.logErrors) return
    this.#options.log("error", `a record was skipped at ${this.stage}: ${error.message}`, { stage: this.stage })
  }
}

export interface Converters {
  readonly key: Converter
  readonly value: Converter
  readonly keyClass: string
  readonly valueClass: string
}
