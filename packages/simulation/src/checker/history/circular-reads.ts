/**
 * G1c without write edges: transactions that read from each other in a circle, so that one of them saw what was not
 * committed yet. Kafka does not isolate writes, so cycles over the order of writes say nothing and are not looked for.
 *
 * Strongly connected components after Tarjan.
 */
import { type History, type Operation, pollsOf, sendsOf } from "./history.ts"

export function circularReads(history: History): string[] {
  const writers = new Map<string, Operation>()
  for (const operation of history) for (const { value } of sendsOf(operation)) writers.set(value, operation)
  const readFrom = new Map<Operation, Set<Operation>>()
  for (const operation of history) {
    const sources = new Set<Operation>()
    for (const { reads } of pollsOf(operation)) {
      for (const { value } of reads) {
        const writer = writers.get(value)
        // Its own writes are another anomaly.
        if (writer !== undefined && writer !== operation) sources.add(writer)
      }
    }
    readFrom.set(operation, sources)
  }
  return components(readFrom)
    .filter((component) => component.length > 1)
    .map((component) => `transactions read from each other in a circle: ${component.map(describe).join("; ")}`)
}

function describe(operation: Operation): string {
  const sent = sendsOf(operation).map(({ value }) => value)
  return `${operation.process} sent ${sent.join(", ")}`
}

/** Every node with those that it leads to, in groups that lead to each other. */
function components<Node>(edges: ReadonlyMap<Node, ReadonlySet<Node>>): Node[][] {
  const index = new Map<Node, number>()
  const low = new Map<Node, number>()
  const stack: Node[] = []
  const onStack = new Set<Node>()
  const found: Node[][] = []
  const visit = (node: Node): void => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    onStack.add(node)
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) {
        visit(next)
        low.set(node, Math.min(low.get(node)!, low.get(next)!))
      } else if (onStack.has(next)) low.set(node, Math.min(low.get(node)!, index.get(next)!))
    }
    if (low.get(node) !== index.get(node)) return
    const component = stack.splice(stack.indexOf(node))
    for (const member of component) onStack.delete(member)
    found.push(component)
  }
  for (const node of edges.keys()) if (!index.has(node)) visit(node)
  return found
}
