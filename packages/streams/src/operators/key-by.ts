/**
 * keyBy: another key for the same value, of a stream or of a table's rows.
 *
 * State: none. Time: the input's. Key: changed; the next operator that depends on the key repartitions. The value's serde
 * stays; the key's is the one given, or the canonical codec.
 * Of a stream: tombstones are dropped and counted, since the new key comes from the value.
 * Of a table: several rows may get one key, so what comes of it is no table but one grouped, to be aggregated: see
 * group-table.ts. The callback is given the row's key in the place of the record.
 */
import type { Serde } from "@millrace/schema"
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { flowOf, type GroupedTable, type Keyed, type KeyedKind, type Stream, streamOf } from "../dsl/stream.ts"
import type { CanonicalKey } from "../serde/canonical-key.ts"
import { makeNode } from "../topology/node.ts"
import { groupTable } from "./group-table.ts"
import { type Operator, Processor } from "./operator.ts"

const keyByOperator: Operator = { kind: "key-by", make: (node, context) => new KeyBy(node, context) }

interface KeyByOptions<V, K2> {
  readonly key?: Serde<K2>
  readonly value?: Serde<V>
}

type Of<K, V, Kind> = Kind extends "table" ? K : Rec<K, V>

/** A row without a key is in no group. */
type KeyedBy<K2, V, Kind, R> = Kind extends "table" ? GroupedTable<NonNullable<K2>, V, R> : Stream<K2, V, R>

/** A key that the canonical codec cannot write needs a serde, and the compiler asks for it. */
export function keyBy<K, V, Kind extends KeyedKind, K2 extends CanonicalKey | undefined, R>(
  f: (value: V, of: Of<K, V, Kind>) => K2,
  options?: KeyByOptions<V, K2>,
): (s: Keyed<K, V, Kind, R>) => KeyedBy<K2, V, Kind, R>
export function keyBy<K, V, Kind extends KeyedKind, K2, R>(
  f: (value: V, of: Of<K, V, Kind>) => K2,
  options: KeyByOptions<V, K2> & { readonly key: Serde<K2> },
): (s: Keyed<K, V, Kind, R>) => KeyedBy<K2, V, Kind, R>
export function keyBy(f: (value: any, of: any) => any, options: KeyByOptions<any, any> = {}): (s: any) => any {
  return (s) => {
    const { kind, node: input } = flowOf("keyBy", s, "stream", "table")
    const serdes = { key: options.key, value: options.value ?? input.value }
    if (kind === "table") return groupTable(input, f, serdes)
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
