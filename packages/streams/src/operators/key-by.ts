/**
 * keyBy: another key for the same value.
 *
 * State: none. Time: the input's. Key: changed; the next operator that depends on the key repartitions. The value's serde
 * stays; the key's is the one given, or the canonical codec.
 * Tombstones are dropped and counted: the new key comes from the value.
 */
import type { Serde } from "@millrace/schema"
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import type { CanonicalKey } from "../serde/canonical-key.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const keyByOperator: Operator = { kind: "key-by", make: (node, context) => new KeyBy(node, context) }

interface KeyByOptions<V, K2> {
  readonly key?: Serde<K2>
  readonly value?: Serde<V>
}

/** A key that the canonical codec cannot write needs a serde, and the compiler asks for it. */
export function keyBy<K, V, K2 extends CanonicalKey | undefined, R>(
  f: (value: V, record: Rec<K, V>) => K2,
  options?: KeyByOptions<V, K2>,
): (s: Stream<K, V, R>) => Stream<K2, V, R>
export function keyBy<K, V, K2, R>(
  f: (value: V, record: Rec<K, V>) => K2,
  options: KeyByOptions<V, K2> & { readonly key: Serde<K2> },
): (s: Stream<K, V, R>) => Stream<K2, V, R>
export function keyBy(
  f: (value: any, record: any) => any,
  options: KeyByOptions<any, any> = {},
): (s: any) => Stream<any, any, any> {
  return (s) => {
    const input = streamNode("keyBy", s)
    const serdes = { key: options.key, value: options.value ?? input.value }
    return streamOf(
      makeNode({ operator: keyByOperator, inputs: [input], functions: { f }, ...serdes, keyChanged: true }),
    )
  }
}

class KeyBy extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, record: StreamRecord) => unknown

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.context.drop("tombstone", record)
    let key: unknown
    try {
      key = this.#f(record.value, record)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.next.receive(record.derive(key, record.value, record.timestamp))
  }
}
