/**
 * From the logical graph to a plan: a list of nodes in an order that depends on the pipeline alone, inputs first.
 *
 * Here repartitioning becomes explicit: before an operator that depends on the key, input whose key may have changed
 * goes through a pair of nodes, `repartition-sink` and `repartition-source`, with a topic named after that operator.
 * Sources of one topic, and tables of one topic, become one. A plan is plain data; `bindings[id]` holds the logical node
 * with the functions and serdes of plan node `id`.
 */
import type { Serde } from "@millrace/schema"
import { PipelineError } from "../errors.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { packed } from "../serde/packed.ts"
import { mergeNodes } from "../operators/merge.ts"
import { repartitionSink, repartitionSource } from "../operators/repartition.ts"
import { repartitionOperator } from "../operators/repartition-stream.ts"
import type { FailureHandlers } from "../dsl/failure.ts"
import type { PipelineOptions } from "../dsl/pipeline.ts"
import type { OperatorWrapper } from "../dsl/wrap.ts"
import { assertName } from "../dsl/topic.ts"
import { checkLateTopics } from "./late-topics.ts"
import {
  hasWindowedKey,
  isGlobal,
  type Json,
  type LogicalNode,
  makeNode,
  storeKeeping,
  type StoreSpec,
} from "./node.ts"

export interface PlanStore {
  readonly name: string
  readonly kind: string
  /** Serdes by name. */
  readonly key: string
  readonly value: string
  readonly retentionMs: number | null
  readonly logging?: Json
  readonly inMemory?: boolean
  readonly headers?: boolean
}

export interface PlanNode {
  readonly id: number
  readonly kind: string
  /** The user's name, or kind and id. */
  readonly name: string
  readonly inputs: readonly number[]
  readonly reads: readonly number[]
  readonly options: { readonly [name: string]: Json }
  readonly stores: readonly PlanStore[]
  /** Serdes by name; null when none is known. */
  readonly key: string | null
  readonly value: string | null
}

export interface Plan {
  readonly pipeline: string
  readonly nodes: readonly PlanNode[]
}

export interface BoundPlan {
  readonly plan: Plan
  readonly bindings: readonly LogicalNode[]
  /** Where a node has no handler of its own. */
  readonly failures: FailureHandlers
  /** Around every operator. */
  readonly wrap: OperatorWrapper | undefined
  /** Of sources that read all topics that match. */
  readonly patterns: readonly RegExp[]
  /** The same plan with these topics in the place of patterns; undefined where it has none. */
  readonly expand: ((topics: readonly string[]) => BoundPlan) | undefined
}

export function makePlan(
  pipeline: string,
  ends: readonly LogicalNode[],
  { wrap, headers = false, ...failures }: PipelineOptions = {},
): BoundPlan {
  const planWith = (topics: readonly string[] | undefined): BoundPlan => {
    const planner = new Planner(pipeline, topics, headers)
    for (const end of ends) planner.visit(end)
    const { nodes, bindings, patterns } = planner
    checkLateTopics(pipeline, nodes, bindings)
    const expand = topics === undefined && patterns.length > 0 ? planWith : undefined
    return { plan: { pipeline, nodes }, bindings, failures, wrap, patterns, expand }
  }
  return planWith(undefined)
}

class Planner {
  readonly nodes: PlanNode[] = []
  readonly bindings: LogicalNode[] = []
  readonly patterns: RegExp[] = []
  readonly #pipeline: string
  readonly #topics: readonly string[] | undefined
  readonly #keepsHeaders: boolean
  /** Tables whose changes carry headers. */
  readonly #headed = new Set<number>()
  readonly #visited = new Map<LogicalNode, number>()
  /** Sources by topic and tables by topic: written twice, they are one. */
  readonly #unique = new Map<string, number>()
  readonly #names = new Map<string, string>()
  readonly #stores = new Set<StoreSpec>()
  /** Of global tables and stores, and which it is. */
  readonly #globalTopics = new Map<string, string>()

  constructor(pipeline: string, topics: readonly string[] | undefined, keepsHeaders: boolean) {
    this.#pipeline = pipeline
    this.#topics = topics
    this.#keepsHeaders = keepsHeaders
  }

  visit(node: LogicalNode): number {
    const known = this.#visited.get(node)
    if (known !== undefined) return known
    const id = this.#place(node)
    this.#visited.set(node, id)
    return id
  }

  #place(node: LogicalNode): number {
    const { pattern, flags } = node.options
    if (typeof pattern === "string") {
      const expression = new RegExp(pattern, flags as string)
      this.patterns.push(expression)
      if (this.#topics !== undefined) return this.visit(this.#matching(node, expression, this.#topics))
    }
    const inputs = node.inputs.map((input, index) => this.#visitInput(node, input, index))
    if (node.operator === repartitionOperator) return this.#repartition(node, 0, inputs[0]!, node.key ?? canonicalKey)
    const reads = node.reads.map((read) => this.visit(read))
    return this.#merged(node) ?? this.#add(node, inputs, reads)
  }

  #matching(node: LogicalNode, pattern: RegExp, topics: readonly string[]): LogicalNode {
    const found = topics.filter((topic) => pattern.test(topic)).sort()
    if (found.length === 0) throw this.#error(String(node.options["topic"]), "no topic matches: create one first")
    const sources = found.map((topic) => ({ ...node, options: { topic } }))
    return sources.length === 1 ? sources[0]! : mergeNodes(sources)
  }

  /**
   * An input, repartitioned where the operator needs it: its key may have changed, or it is written by another serde than
   * that of the table or the first input that it is to meet, so that equal keys lie in different partitions.
   */
  #visitInput(node: LogicalNode, input: LogicalNode, index: number): number {
    const id = this.visit(input)
    if (node.operator.keyDependent !== true) return id
    if (hasWindowedKey(input)) {
      const reason = "its key is that of a window, { key, start, end }, which no codec is known for"
      throw this.#error(node.name ?? node.operator.kind, `${reason}: make one with mapRecord or keyBy before it`)
    }
    const key: Serde<any> = (node.reads.find((read) => !isGlobal(read)) ?? node.inputs[0]!).key ?? canonicalKey
    const isMet = (input.key ?? canonicalKey).name === key.name
    return input.keyChanged || !isMet ? this.#repartition(node, index, id, key) : id
  }

  #repartition(node: LogicalNode, index: number, inputId: number, key: Serde<any>): number {
    if (node.name === undefined) throw this.#error(node.operator.kind, "depends on the key and has no name")
    const input = node.inputs[index]!
    const side = node.operator.inputNames?.[index]
    const name = side === undefined ? node.name : `${node.name}-${side}`
    const options = {
      topic: name,
      ...(node.options["partitions"] === undefined ? {} : { partitions: node.options["partitions"] }),
    }
    const isExplicit = node.operator === repartitionOperator
    const value: Serde<any> = (isExplicit ? node : input).value ?? packed
    const sink = makeNode({
      operator: repartitionSink,
      name: `${name}-repartition-sink`,
      inputs: [input],
      options,
      functions: isExplicit ? node.functions : {},
      key,
      value,
      keyChanged: false,
    })
    const sinkId = this.#add(sink, [inputId], [])
    const source = makeNode({
      operator: repartitionSource,
      name: `${name}-repartition-source`,
      options: { ...options, from: sinkId },
      key,
      value,
      keyChanged: false,
    })
    return this.#add(source, [], [])
  }

  /** The node that stands for the same topic already, if there is one. */
  #merged(node: LogicalNode): number | undefined {
    const topic = node.options["topic"]
    if (!["source", "table", "global-table"].includes(node.operator.kind)) return undefined
    const unique = `${node.operator.kind}:${String(topic)}`
    const id = this.#unique.get(unique)
    if (id === undefined) {
      this.#unique.set(unique, this.nodes.length)
      return undefined
    }
    const first = this.bindings[id]!
    if (first.key?.name !== node.key?.name || first.value?.name !== node.value?.name) {
      throw this.#error(String(topic), `is read with two different serdes: define the topic once`)
    }
    const shapes = [first, node].map(({ stores: [store], options }) => {
      return store && `${store.kind} ${store.retentionMs} ${String(options["ttlMs"])}`
    })
    const given = Object.keys({ ...first.functions, ...node.functions })
    const isOther =
      shapes[0] !== shapes[1] ||
      this.#isToKeepHeaders(first) !== this.#isToKeepHeaders(node) ||
      given.some((name) => first.functions[name]?.() !== node.functions[name]?.())
    if (isOther) {
      throw this.#error(String(topic), "is read twice with different options: read it once and use that twice")
    }
    return id
  }

  #add(given: LogicalNode, inputs: readonly number[], reads: readonly number[]): number {
    const node = this.#withHeaders(given, inputs)
    const id = this.nodes.length
    const name = node.name ?? `${node.operator.kind}-${id}`
    if (node.name !== undefined) this.#claim(`operator "${name}"`, name, name)
    for (const store of node.stores) this.#claimStore(store, name)
    if (isGlobal(node)) this.#claimGlobalTopic(String(node.options["topic"]), name)
    const stores = node.stores.map((store) => ({
      name: store.name,
      kind: store.kind,
      key: (store.key ?? canonicalKey).name,
      value: (store.value ?? packed).name,
      retentionMs: store.retentionMs ?? null,
      ...storeKeeping(store),
      ...(store.headers === true && { headers: true }),
    }))
    this.nodes.push({
      id,
      kind: node.operator.kind,
      name,
      inputs,
      reads,
      options: node.options,
      stores,
      key: node.key?.name ?? null,
      value: node.value?.name ?? null,
    })
    this.bindings.push(node)
    return id
  }

  /**
   * A table of a topic or a stream keeps headers where it says so, or where the pipeline does and it does not say otherwise;
   * versions have none.
   */
  #isToKeepHeaders({ operator, stores: [rows] }: LogicalNode): boolean {
    return operator.keepsHeaders === true && rows?.kind === "key-value" && (rows.headers ?? this.#keepsHeaders)
  }

  /** What is made of one table that keeps headers keeps its rows', where it has rows of its own. */
  #withHeaders(node: LogicalNode, inputs: readonly number[]): LogicalNode {
    const passes = node.operator.passesHeaders === true && this.#headed.has(inputs[0]!)
    if (!this.#isToKeepHeaders(node) && !passes) return node
    const [rows, ...others] = node.stores
    this.#headed.add(this.nodes.length)
    return rows === undefined ? node : { ...node, stores: [{ ...rows, headers: true }, ...others] }
  }

  /** One definition may be given to several operators: they share the store. */
  #claimStore(store: StoreSpec, owner: string): void {
    if (this.#stores.has(store)) return
    this.#claim(`store "${store.name}"`, store.name, owner)
    this.#stores.add(store)
  }

  /** A process reads a topic once. */
  #claimGlobalTopic(topic: string, reader: string): void {
    const other = this.#globalTopics.get(topic)
    if (other !== undefined) {
      const both = `"${other}" and "${reader}"`
      throw this.#error(reader, `topic "${topic}" is followed by ${both}, and can be by one: let that keep both`)
    }
    this.#globalTopics.set(topic, reader)
  }

  /** Topics are named after operators and stores, so that a name taken twice would mix two streams. */
  #claim(what: string, name: string, owner: string): void {
    assertName(what.split(" ")[0]!, name)
    const holder = this.#names.get(what)
    if (holder !== undefined) throw this.#error(owner, `the ${what} exists already: give each its own name`)
    this.#names.set(what, owner)
  }

  #error(operator: string, message: string): PipelineError {
    return new PipelineError(`pipeline "${this.#pipeline}", operator "${operator}": ${message}`)
  }
}
