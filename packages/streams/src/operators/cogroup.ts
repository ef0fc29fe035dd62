/**
 * cogroup: several streams with one key, for one aggregate with a callback for each (KIP-150).
 *
 *     S.cogroup("by-account", { deposits, withdrawals }).pipe(
 *       S.aggregate("balances", {
 *         init: () => 0,
 *         add: {
 *           deposits: (balance, deposit) => balance + deposit.amount,
 *           withdrawals: (balance, withdrawal) => balance - withdrawal.amount,
 *         },
 *       }),
 *     )
 *
 * State: none. Time: the records'. It says which stream a record came from; the aggregate, windowed or not, does the rest.
 * Key: it depends on it; each stream whose key changed is repartitioned by itself, and all must be co-partitioned.
 * Records without a value are dropped and counted; those without a key are so by the aggregate.
 */
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { type Cogrouped, Flow, type Stream, streamNode } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { type LogicalNode, makeNode } from "../topology/node.ts"
import { type Operator, Processor, type Receiver } from "./operator.ts"

type KeyOf<S> = S extends Stream<infer K, any, any> ? K : never
type ValueOf<S> = S extends Stream<any, infer V, any> ? V : never
type NeedsOf<S> = S extends Stream<any, any, infer R> ? R : never

type OneKey<Streams> = {
  readonly [N in keyof Streams]: [KeyOf<Streams[keyof Streams]>] extends [KeyOf<Streams[N]>]
    ? Stream<any, any, any>
    : never
}

export function cogroup<const Streams>(
  name: string,
  streams: Streams & OneKey<Streams>,
): Cogrouped<
  KeyOf<Streams[keyof Streams]>,
  { readonly [N in keyof Streams]: ValueOf<Streams[N]> },
  NeedsOf<Streams[keyof Streams]>
>
export function cogroup(name: string, streams: { readonly [name: string]: any }): any {
  const names = Object.keys(streams)
  if (names.length === 0) throw new PipelineError(`cogroup "${name}": give it streams, by name`)
  const inputs = names.map((one) => streamNode(`cogroup "${name}", ${one}`, streams[one]))
  const operator: Operator = {
    kind: COGROUP,
    keyDependent: true,
    inputNames: names,
    make: (node, context) => new Cogroup(node, context),
  }
  return new Flow(COGROUP, makeNode({ operator, name, inputs, value: undefined, keyChanged: false }))
}

const COGROUP = "cogroup"

export const isCogroup = ({ operator }: LogicalNode): boolean => operator.kind === COGROUP

type Add = (aggregate: any, value: any, key: any) => unknown

/** The callback of an aggregate over a cogroup, made of one for each stream. */
export function addByStream(aggregate: string, { name, operator }: LogicalNode, add: unknown): Add {
  const names = operator.inputNames!
  const adders = names.map((one) => (add as Record<string, Add> | undefined)?.[one])
  const missing = names.filter((_, at) => typeof adders[at] !== "function")
  if (typeof add !== "object" || missing.length > 0) {
    throw new PipelineError(
      `aggregate "${aggregate}": over cogroup "${name}" add has a callback for each stream: { ${names.join(", ")} }`,
    )
  }
  return (aggregate, { input, value }: FromStream, key) => adders[input]!(aggregate, value, key)
}

/** What a stream sent, of what reaches the aggregate from such an input. */
export const streamValue = (input: LogicalNode | undefined, value: unknown): unknown =>
  input !== undefined && isCogroup(input) && !isAbsent(value) ? (value as FromStream).value : value

/** What flows from here to the aggregate. */
interface FromStream {
  readonly input: number
  readonly value: unknown
}

class Cogroup extends Processor {
  override input(input: number): Receiver {
    return {
      receive: (record) => {
        const { key, value, timestamp } = record
        if (isAbsent(value)) return this.context.drop("tombstone", record)
        const tagged: FromStream = { input, value }
        this.next.receive(record.derive(key, tagged, timestamp))
      },
    }
  }

  receive(record: StreamRecord): void {
    this.input(0).receive(record)
  }
}
