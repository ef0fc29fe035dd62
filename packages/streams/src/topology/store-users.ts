/**
 * Which operators use a store: those of one store are in one sub-topology, and on one level.
 */
import type { PhysicalNode } from "./topology.ts"

export class StoreUsers {
  readonly #users: ReadonlyMap<string, readonly PhysicalNode[]>

  constructor(nodes: readonly PhysicalNode[]) {
    const users = new Map<string, PhysicalNode[]>()
    for (const node of nodes) {
      for (const { name } of node.stores) {
        const known = users.get(name)
        if (known === undefined) users.set(name, [node])
        else known.push(node)
      }
    }
    this.#users = users
  }

  /** Others that use a store of this node. */
  beside(node: PhysicalNode): readonly PhysicalNode[] {
    return node.stores.flatMap(({ name }) => this.#users.get(name) ?? []).filter((other) => other !== node)
  }
}
