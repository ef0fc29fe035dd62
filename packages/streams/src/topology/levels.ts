/**
 * Levels: where records must wait for others.
 *
 * Results of a suspending operator (an effect, a subscription) come later than the call. Everything that follows such an
 * operator must still see records in the order of the task's input; so must operators that share a store with it, or a
 * stream record would find a table row that came after it. Level n holds what lies behind n suspending operators, and one
 * gate guards the entry to each level: what enters waits there, in input order, behind results that are pending.
 *
 * level(n) = max over inputs i of level(i) + (1 if i suspends), and all users of one store are of one level. The second
 * rule gives way where it would run in a circle: a table whose own changes flow through an effect into a join with that
 * table is read as it is when the result arrives.
 */
import { StoreUsers } from "./store-users.ts"
import { isGlobal } from "./node.ts"
import type { PhysicalNode } from "./topology.ts"

export function computeLevels(nodes: readonly PhysicalNode[]): number[] {
  const levels = nodes.map(() => 0)
  if (!nodes.some(suspends)) return levels
  const users = new StoreUsers(nodes)
  for (let changed = true; changed;) {
    changed = false
    const raise = (id: number, level: number) => {
      if (levels[id]! >= level) return
      levels[id] = level
      changed = true
    }
    for (const node of nodes) {
      for (const input of node.inputs) raise(node.id, levels[input.id]! + (suspends(input) ? 1 : 0))
      // A global table changes beside the tasks: nobody waits for it.
      for (const table of node.reads.filter((read) => !isGlobal(read.logical)).flatMap(holders)) {
        raise(node.id, levels[table.id]!)
        if (!suspendsBetween(table, node)) raise(table.id, levels[node.id]!)
      }
      for (const other of users.beside(node)) if (!suspendsBetween(node, other)) raise(node.id, levels[other.id]!)
    }
  }
  return levels
}

/** A table, and what holds its rows where it has none of its own. */
const holders = (table: PhysicalNode): PhysicalNode[] =>
  table.stores.length > 0 ? [table] : [table, ...table.inputs.flatMap(holders)]

const suspends = (node: PhysicalNode): boolean => node.logical.operator.suspends === true

/** Whether some path from one node to another leads through a suspending operator. */
function suspendsBetween(from: PhysicalNode, to: PhysicalNode): boolean {
  // By whether they were reached through a suspending one: ways that part and meet again are gone once.
  const seen = [new Set<PhysicalNode>(), new Set<PhysicalNode>()] as const
  const reach = (node: PhysicalNode, suspended: boolean): boolean => {
    if (node === to) return suspended
    const known = seen[suspended ? 1 : 0]
    if (known.has(node)) return false
    known.add(node)
    return node.outputs.some((output) => reach(output, suspended || suspends(node)))
  }
  return reach(from, false)
}
