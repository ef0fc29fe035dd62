/**
 * What becomes of records of a global table's or store's topic that cannot be taken in: what handlers say, as far as that can
 * be done where there is no transaction.
 *
 * They end the run, or are passed over: the rows stay as they were. A dead letter is not written: which record it was is told
 * in the log, and there it still is. They are counted.
 */
import { RegistryError, type UnknownSchemaId } from "@millrace/schema"
import { actionOf, type FailureHandler } from "../dsl/failure.ts"
import type { Rec } from "../dsl/record.ts"
import { ProcessingError } from "../errors.ts"
import type { PhysicalNode } from "../topology/topology.ts"

export interface GlobalFailuresOptions {
  readonly pipeline: string
  readonly node: PhysicalNode
  readonly log: (message: string) => void
}

export interface GlobalFailure {
  readonly partition: number
  readonly offset: number
  /** Default: it ends the run. */
  readonly handler: FailureHandler | undefined
  /** As far as it was decoded. */
  readonly record?: Rec<unknown, unknown> | undefined
}

export class GlobalFailures {
  readonly #options: GlobalFailuresOptions
  /** Records passed over since the start. */
  skipped = 0

  constructor(options: GlobalFailuresOptions) {
    this.#options = options
  }

  /** Throws where it is to end the run. */
  passOver(cause: unknown, { partition, offset, handler = "fail", record }: GlobalFailure): void {
    const { pipeline, node, log } = this.#options
    const error = new ProcessingError({ pipeline, operator: node.name, topic: node.topic!, partition, offset }, cause)
    if (actionOf(handler, { error, record }) === "fail") throw error
    this.skipped++
    log(`${error.message}: passed over, the rows stay as they were`)
  }

  /** Fetches a schema. Answers false, and passes the record over, where the registry has none of that id. */
  async hasSchema(cause: UnknownSchemaId, failure: GlobalFailure): Promise<boolean> {
    try {
      await cause.resolve()
      return true
    } catch (refusal) {
      if (!(refusal instanceof RegistryError && refusal.status === 404)) throw refusal
      this.passOver(refusal, failure)
      return false
    }
  }
}
