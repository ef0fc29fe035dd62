/**
 * A pipeline: a name and what flows into its sinks. `build` is called once, when the pipeline is defined, so that what is
 * written wrongly is found where it is written.
 */
import { PipelineError } from "../errors.ts"
import { makePlan, type BoundPlan } from "../topology/plan.ts"
import type { FailureHandlers } from "./failure.ts"
import { flowOf, type Sink, type Table } from "./stream.ts"
import { assertName } from "./topic.ts"
import type { OperatorWrapper } from "./wrap.ts"

/** The end of a flow: a sink, or a table that is there to be read. */
export type End = Sink<any> | Table<any, any, any>

type Needs<S> =
  S extends Sink<infer R>
    ? R
    : S extends Table<any, any, infer R>
      ? R
      : S extends ReadonlyArray<infer One>
        ? Needs<One>
        : never

/**
 * Asks for ends, and says so in words. What is unknown is the result of a pipe in which something else is wrong, and that is
 * told where it is.
 */
type Ends<S> = unknown extends S
  ? unknown
  : S extends End | ReadonlyArray<End>
    ? unknown
    : "a pipeline returns what S.to answers, or a table, or several of them"

export interface PipelineOptions extends FailureHandlers {
  /** Called with every record that an operator receives, and runs the operator. */
  readonly wrap?: OperatorWrapper
  /**
   * Tables made of topics and streams keep the headers of records beside their rows, where they do not say themselves whether
   * (Kafka Streams' `dsl.store.format=HEADERS`). Default false.
   */
  readonly headers?: boolean
}

/** R: the services that must be provided to run it. */
export interface Pipeline<R = never> {
  readonly name: string
  readonly plan: BoundPlan
  readonly _R?: () => R
}

export function pipeline<const S>(
  name: string,
  build: () => S & Ends<S>,
  options: PipelineOptions = {},
): Pipeline<Needs<S>> {
  assertName("pipeline", name)
  const built: unknown = build()
  const ends = Array.isArray(built) ? built : [built]
  if (ends.length === 0) throw new PipelineError(`pipeline "${name}": nothing flows anywhere; return at least one sink`)
  const nodes = ends.map((end) => flowOf(`pipeline "${name}"`, end, "sink", "table").node)
  return { name, plan: makePlan(name, nodes, options) }
}

export const isPipeline = (value: unknown): value is Pipeline<unknown> =>
  typeof (value as Pipeline | null)?.name === "string" && Array.isArray((value as Pipeline).plan?.bindings)
