/**
 * A node of the logical graph, as the DSL builds it.
 *
 * A node is immutable and points at its inputs; a pipeline is the set of nodes reachable from its sinks. What can be
 * written down (kind, name, options, serdes' names) is kept apart from what cannot (functions), so that a plan can be
 * compared, drawn and sent to another thread, which finds the functions by building the same pipeline again.
 */
import type { Serde } from "@millrace/schema"
import type { Operator } from "../operators/operator.ts"

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A store as an operator asks for it. Its changelog is `<application>-<name>-changelog`. */
export interface StoreSpec {
  readonly name: string
  readonly kind: "key-value" | "versioned" | "window" | "timer" | "subscription"
  /** Absent: the canonical key codec, or the packed value codec. */
  readonly key: Serde<any> | undefined
  readonly value: Serde<any> | undefined
  /**
   * In stream time. Window stores: how long after its start a window is kept; sessions: after its end; versioned stores: the
   * history.
   */
  readonly retentionMs?: number
  /** Configs of the changelog over ours; false for none, and a store that begins empty wherever its task is opened. */
  readonly logging?: false | { readonly [config: string]: string }
  /** Its rows are kept in memory alone, and restored from the changelog at every start. */
  readonly inMemory?: boolean
  /** Its rows keep the headers of their records (KIP-1271). */
  readonly headers?: boolean
}

/** Of a store whose rows go: the timers beside it. */
export const ttlSpec = ({ name, key }: StoreSpec): StoreSpec => ({
  name: `${name}-ttl`,
  kind: "timer",
  key,
  value: undefined,
})

/** What users may say of a store, beside its serdes. */
export type StoreKeeping = Pick<StoreSpec, "logging" | "inMemory">

export const storeKeeping = ({ logging, inMemory }: StoreKeeping): StoreKeeping => ({
  ...(logging !== undefined && { logging }),
  ...(inMemory !== undefined && { inMemory }),
})

export const isLogged = ({ logging }: StoreKeeping): boolean => logging !== false

/** Its rows lie on disk where there is one. */
export const isOnDisk = (spec: StoreKeeping): boolean => isLogged(spec) && spec.inMemory !== true

export interface LogicalNode {
  readonly operator: Operator
  /** As the user named it; operators without state have none. */
  readonly name: string | undefined
  readonly inputs: readonly LogicalNode[]
  /** Tables that it reads by key, without their changes flowing into it. */
  readonly reads: readonly LogicalNode[]
  readonly options: { readonly [name: string]: Json }
  readonly functions: { readonly [name: string]: (...args: any[]) => unknown }
  /** The stores that it owns. */
  readonly stores: readonly StoreSpec[]
  /** Of what flows out; undefined when no serde is known. */
  readonly key: Serde<any> | undefined
  readonly value: Serde<any> | undefined
  /** The key may have changed since the records were last partitioned by it. */
  readonly keyChanged: boolean
}

/** It belongs to the process, not to a task. */
export const isGlobal = ({ operator }: LogicalNode): boolean => operator.isGlobal === true

type NodeInput = Pick<LogicalNode, "operator"> & Partial<LogicalNode>

/** A node with what it does not say taken from its first input. */
export function makeNode(input: NodeInput): LogicalNode {
  const first = input.inputs?.[0]
  return {
    name: undefined,
    inputs: [],
    reads: [],
    options: {},
    functions: {},
    stores: [],
    key: first?.key,
    value: first?.value,
    keyChanged: input.inputs?.some((one) => one.keyChanged) ?? false,
    ...input,
  }
}

/** Its records have the keys of a windowed aggregate, as they came from there. */
export function hasWindowedKey(node: LogicalNode): boolean {
  if (node.key !== undefined || node.keyChanged) return false
  return node.operator.keysWindows === true || node.inputs.some(hasWindowedKey)
}
