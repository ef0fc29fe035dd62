/**
 * What tables made from tables share: whether their rows are kept in a store of their own.
 */
import type { Serde } from "@millrace/schema"
import { PipelineError } from "../errors.ts"
import { hasWindowedKey, type LogicalNode, type StoreKeeping, storeKeeping, type StoreSpec } from "../topology/node.ts"

export interface DerivedTableOptions<V> extends StoreKeeping {
  /** Keeps the rows in a store of this name; without it they are made anew at each lookup. */
  readonly store?: string
  readonly value?: Serde<V>
}

export function derivedStores(
  what: string,
  input: LogicalNode,
  name: string | undefined,
  value: Serde<any> | undefined,
  keeping: StoreKeeping,
): StoreSpec[] {
  if (name === undefined) return []
  if (hasWindowedKey(input)) {
    throw new PipelineError(`${what}: a windowed table has rows already; leave out the store "${name}"`)
  }
  return [{ name, kind: "key-value", key: input.key, value, ...storeKeeping(keeping) }]
}
