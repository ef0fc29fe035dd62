/**
 * What the core answers: records to append and the answer to give once they are in the topic and replayed.
 */
import type { RegistryRecord } from "../record/record.ts"
import type { Defaults } from "./settings.ts"
import type { RegistryState } from "./state.ts"

export interface Decision<T = unknown> {
  readonly records: readonly RegistryRecord[]
  readonly answer: T
}

/** What decisions are made on. */
export interface Registry {
  readonly state: RegistryState
  readonly defaults: Defaults
}

export const answer = <T>(value: T): Decision<T> => ({ records: [], answer: value })
