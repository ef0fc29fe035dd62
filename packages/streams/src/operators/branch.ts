/**
 * branch: several streams from one; each record goes to the first whose test holds.
 *
 * State: none. Time, key and serdes: the input's. What no test takes is dropped, uncounted: write a last test that
 * always holds to keep it. Tombstones go to every branch, since which one the value went to is not known any more.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { makeNode } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor, type Receiver, fanOut } from "./operator.ts"

type Test<K, V> = (value: V, record: Rec<K, V>) => boolean

const branchOperator: Operator = { kind: "branch", make: (node, context) => new Branch(node, context) }
const armOperator: Operator = { kind: "branch-arm", make: (node, context) => new Arm(node, context) }

export function branch<K, V, Name extends string>(tests: { readonly [N in Name]: Test<K, V> }): <R>(
  s: Stream<K, V, R>,
) => { readonly [N in Name]: Stream<K, V, R> } {
  return (s) => {
    const arms = Object.keys(tests)
    for (const name of arms) {
      // JavaScript moves keys such as "2" before all others: the order of the tests would not be the one written.
      if (/^\d+$/.test(name)) throw new PipelineError(`branch "${name}": a name must not be a number`)
    }
    const node = makeNode({
      operator: branchOperator,
      inputs: [streamNode("branch", s)],
      options: { arms },
      functions: tests,
    })
    const arm = (name: string) => streamOf(makeNode({ operator: armOperator, inputs: [node], options: { arm: name } }))
    return Object.fromEntries(arms.map((name) => [name, arm(name)])) as any
  }
}

class Branch extends Processor {
  readonly #tests = (this.node.logical.options["arms"] as string[]).map((name) => this.node.logical.functions[name]!)
  #arms: Receiver[] = []

  override link(receivers: readonly Receiver[], nodes: readonly PhysicalNode[]): void {
    super.link(receivers, nodes)
    const names = this.node.logical.options["arms"] as string[]
    this.#arms = names.map((name) => fanOut(receivers.filter((_, at) => nodes[at]!.logical.options["arm"] === name)))
  }

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.next.receive(record)
    for (let index = 0; index < this.#tests.length; index++) {
      let taken: unknown
      try {
        taken = this.#tests[index]!(record.value, record)
      } catch (cause) {
        throw this.failed(record, cause)
      }
      if (taken) return this.#arms[index]!.receive(record)
    }
  }
}

class Arm extends Processor {
  receive(record: StreamRecord): void {
    this.next.receive(record)
  }
}
