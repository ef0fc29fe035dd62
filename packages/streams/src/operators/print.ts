/**
 * print: one line per record, for development, and that is the end of the flow.
 *
 *     [orders]: alice, {"amount":3}
 *
 * State: none. A tombstone is printed as null. Lines of a transaction that is aborted and repeated are printed again.
 */
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { Flow, type Sink, type Stream, streamNode } from "../dsl/stream.ts"
import { type LogicalNode, makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const printOperator: Operator = { kind: "print", make: (node, context) => new Print(node, context) }

export interface PrintOptions {
  /** Before each line; default: the topic that the record came from. */
  readonly label?: string
  /** Takes the line, without its end; default: the console. */
  readonly write?: (line: string) => void
}

export function print({ label, write }: PrintOptions = {}): <K, V, R>(s: Stream<K, V, R>) => Sink<R> {
  return (s) => {
    const options: LogicalNode["options"] = label === undefined ? {} : { label }
    const functions = { write: write ?? ((line: string) => console.log(line)) }
    const node = makeNode({ operator: printOperator, inputs: [streamNode("print", s)], options, functions })
    return new Flow("sink", node) as unknown as Sink<any>
  }
}

class Print extends Processor {
  readonly #label = this.node.logical.options["label"] as string | undefined
  readonly #write = this.node.logical.functions["write"]!

  receive(record: StreamRecord): void {
    try {
      this.#write(`[${this.#label ?? record.topic}]: ${shown(record.key)}, ${shown(record.value)}`)
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }
}

function shown(value: unknown): string {
  if (isAbsent(value)) return "null"
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}
