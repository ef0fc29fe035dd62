/**
 * The stores of a topology as queries see them: by name or by table, with how a key finds its partition.
 */
import type { Serde } from "@millrace/schema"
import { Flow, type GlobalTable, type Table } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import type { SerdeLookup } from "../run/serdes.ts"
import type { PhysicalNode, PhysicalStore, Topology } from "../topology/topology.ts"

export interface StoreInfo {
  readonly name: string
  readonly kind: PhysicalStore["kind"]
  /** Undefined: a global table's, all of it in every process. */
  readonly subtopology: number | undefined
  readonly spec: PhysicalStore
  /** The store's, bound to the registry. */
  readonly serdes: { readonly key: Serde<any>; readonly value: Serde<any> }
  readonly windowSizeMs: number
  /** Of a key as the store's input carries it, which is what decides the partition. */
  readonly inputKey: Serde<unknown>
}

/** A name that no store has: over HTTP, a thing that is not there. */
export class UnknownStore extends PipelineError {}

export class StoreDirectory {
  readonly #topology: Topology
  readonly #stores: ReadonlyMap<string, StoreInfo>

  constructor(topology: Topology, serde: SerdeLookup) {
    this.#topology = topology
    const serdesOf = ({ key, value, changelog }: PhysicalStore) => ({
      key: serde(key, changelog, true),
      value: serde(value, changelog, false),
    })
    const all = topology.subtopologies.flatMap(({ id, nodes }) =>
      nodes.flatMap((node) =>
        node.stores
          .filter(({ kind }) => kind !== "timer" && kind !== "subscription")
          .map((spec): StoreInfo => {
            const source = sourceOf(node)
            const inputKey = serde(source.key, source.topic!, true)
            const size = node.logical.options["sizeMs"]
            const windowSizeMs = typeof size === "number" ? size : 0
            const serdes = serdesOf(spec)
            return { name: spec.name, kind: spec.kind, subtopology: id, spec, serdes, windowSizeMs, inputKey }
          }),
      ),
    )
    for (const spec of topology.globals) {
      const inputKey = serde(spec.key, spec.changelog, true)
      const serdes = serdesOf(spec)
      all.push({ name: spec.name, kind: spec.kind, subtopology: undefined, spec, serdes, windowSizeMs: 0, inputKey })
    }
    this.#stores = new Map(all.map((store) => [store.name, store]))
  }

  get all(): readonly StoreInfo[] {
    return [...this.#stores.values()]
  }

  find(of: string | Table<any, any, any> | GlobalTable<any, any>): StoreInfo {
    const name = typeof of === "string" ? of : this.#nameOf(of)
    const found = this.#stores.get(name)
    if (found !== undefined) return found
    const known = [...this.#stores.keys()].map((one) => `"${one}"`).join(", ") || "none"
    throw new UnknownStore(`pipeline "${this.#topology.plan.pipeline}" has no store "${name}"; its stores: ${known}`)
  }

  #nameOf(table: unknown): string {
    const node = table instanceof Flow ? table.node : undefined
    if (node === undefined) throw new PipelineError("a store is named by its name or by its table")
    const name = node.stores[0]?.name
    if (name !== undefined) return name
    throw new PipelineError(
      `the table of operator "${node.name ?? node.operator.kind}" is not kept in a store: give it one, or query the table before it`,
    )
  }
}

/** Where the keys of a node's records come from, in the same sub-topology: all its inputs are partitioned alike. */
function sourceOf(node: PhysicalNode): PhysicalNode {
  let source = node
  while (source.inputs.length > 0) source = source.inputs[0]!
  return source
}
