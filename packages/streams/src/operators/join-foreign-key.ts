/**
 * joinForeignKey, leftJoinForeignKey: each row of a table with the row of another that it names by a foreign key (KIP-213).
 *
 *     left ──> subscribe ──> name-subscription ──> respond <── right
 *       └────────────────> join <── name-response <───┘
 *
 * Many left rows may name one right row, and lie in other partitions: nothing needs to be co-partitioned. A left row
 * subscribes to its foreign key in the right one's task, which answers with the row it has and then with each change. The
 * left row's own task joins what is answered with the row as it is now.
 * A left row may change while an answer is on its way: each change gets a version, and what answers an older one is
 * dropped. So a result never mixes an old left row with a new one; how many results there are in between depends on who
 * is first, as in Kafka Streams. The last ones do not.
 * A left row that is deleted, or that names nothing, gives up its subscription; the result follows at once, without an
 * answer: none, or for a left join of a row that is there the row with undefined. Where a row names another key than
 * before, the result before it stays until the answer comes.
 * No right row, no result; a left join joins with undefined. Where there was no result and is none, nothing follows.
 * State: results under the operator's name; beside them `name-references`, what each left row names, and in the right
 * one's tasks `name-subscriptions`, who waits for which row.
 * Time: the greater of both rows' (a deletion's for the row that it took); of a left row that names nothing, its own.
 * null or undefined from `f` deletes the result. An inner join counts left rows without a foreign key as dropped. Changes
 * to the past of a versioned table are dropped and counted (KIP-914).
 * Key: the left table's. The subscription's topic has as many partitions as the right table and is partitioned by the
 * foreign key's bytes, as the right table is by its keys', unless `partitioner` says how those are. Answers go to the
 * partition that asked, however the left table is partitioned.
 */
import type { Serde } from "@millrace/schema"
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { flowOf, type Table, tableOf } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import {
  type Reference,
  reference,
  type Response,
  response,
  subscriber,
  subscriberKey,
  subscription,
} from "../serde/foreign-keys.ts"
import { packed } from "../serde/packed.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { tableReader } from "../state/table-reader.ts"
import { hasWindowedKey, type LogicalNode, makeNode, type StoreSpec } from "../topology/node.ts"
import { foreignKeyRespond } from "./foreign-key-respond.ts"
import { foreignKeySubscribe } from "./foreign-key-subscribe.ts"
import { copyOf, type Operator, Processor, type Receiver } from "./operator.ts"
import { repartitionOperator } from "./repartition-stream.ts"

export interface ForeignKeyOptions<F, W> {
  /** Of the results. */
  readonly value?: Serde<W>
  /** How the right table's topic is partitioned, where not by the bytes of its keys. */
  readonly partitioner?: (foreignKey: F, partitions: number) => number | undefined
}

export function joinForeignKey<K, V, F, V2, W, R2, R>(
  name: string,
  other: Table<F, V2, R2>,
  foreignKey: (value: V, key: K) => F | null | undefined,
  f: (left: V, right: V2, key: K) => W,
  options: ForeignKeyOptions<F, W> = {},
): (t: Table<K, V, R>) => Table<K, W, R | R2> {
  return (t) => join("joinForeignKey", false, name, t, other, { foreignKey, f }, options)
}

export function leftJoinForeignKey<K, V, F, V2, W, R2, R>(
  name: string,
  other: Table<F, V2, R2>,
  foreignKey: (value: V, key: K) => F | null | undefined,
  f: (left: V, right: V2 | undefined, key: K) => W,
  options: ForeignKeyOptions<F, W> = {},
): (t: Table<K, V, R>) => Table<K, W, R | R2> {
  return (t) => join("leftJoinForeignKey", true, name, t, other, { foreignKey, f }, options)
}

function join(
  what: string,
  isLeft: boolean,
  name: string,
  t: unknown,
  other: unknown,
  { foreignKey, f }: { foreignKey: (...args: any[]) => unknown; f: (...args: any[]) => unknown },
  { value, partitioner }: ForeignKeyOptions<any, any>,
): any {
  const left = tableNode(what, name, t)
  const right = tableNode(what, name, other)
  const [leftKey, rightKey]: Serde<any>[] = [left.key ?? canonicalKey, right.key ?? canonicalKey]
  const results: StoreSpec = { name, kind: "key-value", key: leftKey, value }
  const references: StoreSpec = { ...results, name: `${name}-references`, value: reference(rightKey!) }
  const subscribed = makeNode({
    operator: foreignKeySubscribe,
    name: `${name}-subscribe`,
    inputs: [left],
    options: { isLeft },
    functions: { foreignKey },
    stores: [references, results],
  })
  const subscriptions = makeNode({
    operator: repartitionOperator,
    name: `${name}-subscription`,
    inputs: [subscribed],
    functions: partitioner === undefined ? {} : { partitioner: (key, _, count) => partitioner(key, count) },
    key: rightKey,
    value: subscription(leftKey!),
    keyChanged: false,
  })
  const responding = makeNode({
    operator: foreignKeyRespond,
    name: `${name}-respond`,
    inputs: [subscriptions, right],
    reads: [right],
    stores: [
      {
        name: `${name}-subscriptions`,
        kind: "subscription",
        key: subscriberKey(rightKey!, leftKey!),
        value: subscriber,
      },
    ],
  })
  const responses = makeNode({
    operator: repartitionOperator,
    name: `${name}-response`,
    inputs: [responding],
    functions: { partitioner: (_, { partition }: Response<unknown>) => partition },
    key: leftKey,
    value: response(right.value ?? packed),
    keyChanged: false,
  })
  return tableOf(
    makeNode({
      operator: joinForeignKeyOperator,
      name,
      inputs: [left, responses],
      reads: [left],
      options: { isLeft },
      functions: { f },
      stores: [results, references],
      key: left.key,
      value,
    }),
  )
}

function tableNode(what: string, name: string, table: unknown): LogicalNode {
  const { node } = flowOf(what, table, "table")
  if (!hasWindowedKey(node)) return node
  const reason = "a key of a window, { key, start, end }, has no codec"
  throw new PipelineError(`${what} "${name}": ${reason}: make one with toStream, mapRecord and toTable`)
}

const joinForeignKeyOperator: Operator = {
  kind: "join-foreign-key",
  keyDependent: true,
  make: (node, context) => new JoinForeignKey(node, context),
}

class JoinForeignKey extends Processor {
  readonly #f = this.node.logical.functions["f"]!
  readonly #isLeft = this.node.logical.options["isLeft"] === true
  readonly #row = tableReader(this.node.reads[0]!, this.context)
  readonly #results = this.context.store(this.node.stores[0]!.name) as KeyValueStore
  readonly #references = this.context.store(this.node.stores[1]!.name) as KeyValueStore<unknown, Reference<unknown>>

  override input(index: number): Receiver {
    return index === 0 ? this : { receive: (record) => this.#answered(record) }
  }

  /** A change of the left table, after the subscribing operator's turn: what names nothing waits for no answer. */
  receive(record: StreamRecord): void {
    if (record.old !== OUTDATED && this.#references.get(record.key).value === undefined) this.#settle(record, undefined)
  }

  #answered(record: StreamRecord): void {
    const { version, row } = record.value as Response<unknown>
    if (this.#references.get(record.key).value?.version === version) this.#settle(record, row.value)
  }

  #settle(record: StreamRecord, right: unknown): void {
    const { key } = record
    const left = this.#row(key)
    const value = this.#joined(record, left.value, right)
    const before = this.#results.get(key).value
    if (value === undefined && before === undefined) return
    const old = this.node.needsOld ? copyOf(this.node, before) : TOMBSTONE
    const timestamp = left.value === undefined ? record.timestamp : Math.max(left.timestamp, record.timestamp)
    this.#results.put(key, value, timestamp)
    const sent = this.node.outlived ? copyOf(this.node, value) : (value ?? TOMBSTONE)
    this.next.receive(record.change(key, sent, old, timestamp))
  }

  #joined(record: StreamRecord, left: unknown, right: unknown): unknown {
    if (isAbsent(left) || (right === undefined && !this.#isLeft)) return undefined
    try {
      return this.#f(left, right, record.key) ?? undefined
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }
}
