/**
 * process, processValues: a processor of one's own, with stores, timers and punctuations.
 *
 *     S.process("sessions", { stores: { open: Open }, timers: true, value: json<Closed>() }, (context) => ({
 *       process(record) {
 *         context.stores.open.put(record.key, record.value)
 *         context.timers.set(record.key, record.timestamp + 60_000)
 *       },
 *       onTimer(key) { context.forward({ key, value: … }) },
 *     }))
 *
 * Semantics: the factory is called once per task. `forward` is synchronous and depth first: it returns when everything
 * downstream has run. Variables of the factory are not state: they survive an abort and are lost when the task moves.
 * State: the tables given, global ones too, to read; the stores given, and `<name>-timers` with `timers`. A store given to
 * several operators is one store.
 * Time: a record forwarded has the time of the record at hand, unless it says otherwise; from a timer or a punctuation, that
 * of the call, and no topic and offset. Timers fire before the record that moves stream time to or past them; stream-time
 * punctuations run after it (task/punctuators.ts). With stores, timers or tables that are not global the operator
 * depends on the key.
 * Key: `process` may change it, and the next operator that depends on the key repartitions; `processValues` may not.
 * Tombstones are dropped and counted; put `tombstones()` before it to see them as null.
 */
import { type Serde, UnknownSchemaId } from "@millrace/schema"
import { durationMs } from "../dsl/duration.ts"
import {
  type Headers,
  isAbsent,
  NO_HEADERS,
  NO_OFFSET,
  type Origin,
  OWN_CLOCK,
  StreamRecord,
  TOMBSTONE,
} from "../dsl/record.ts"
import { type OpenStore, type ProcessingTime, stampedOf, type StoreDefinition } from "../dsl/store.ts"
import { flowOf, type Stream, streamNode, streamOf, type Table } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"
import { type TableReader, tableReader } from "../state/table-reader.ts"
import type { TimerStore } from "../state/timer-store.ts"
import type { TaskContext } from "../task/context.ts"
import { Failures } from "../task/failures.ts"
import { isGlobal, makeNode, type StoreSpec } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"
import type {
  ForwardedRecord,
  ProcessorContext,
  PunctuationType,
  ReadTables,
  RecordProcessor,
  StoreDefinitions,
  TableState,
  ValueProcessorContext,
} from "./processor-context.ts"

const make: Operator["make"] = (node, context) => new UserProcessor(node, context)
const processOperator: Operator = {
  kind: "process",
  // Those of one's own may schedule punctuations; those that need a key (remember.ts) do not.
  holdsBack: ({ timers, needsKey }) => timers === true || needsKey !== true,
  make,
}
const keyedProcessOperator: Operator = { ...processOperator, keyDependent: true }

type NeedsOf<T> = T extends Table<any, any, infer R> ? R : never

export interface ProcessOptions<K2, V2, Stores, Tables> {
  /** By the names that the processor uses. */
  readonly stores?: Stores
  /** Tables that it reads by key, as a join does: their changes do not come to it. */
  readonly tables?: Tables
  /** The processor has `onTimer`. */
  readonly timers?: boolean
  /** Of what is forwarded; also tells its type. Default: as the input. */
  readonly key?: Serde<K2>
  readonly value?: Serde<V2>
}

export function process<
  K,
  V,
  R,
  K2 = K,
  V2 = V,
  const Stores extends StoreDefinitions = {},
  const Tables extends ReadTables = {},
>(
  name: string,
  options: ProcessOptions<K2, V2, Stores, Tables>,
  factory: (context: ProcessorContext<K, K2, V2, Stores, Tables>) => RecordProcessor<K, V>,
): (s: Stream<K, V, R>) => Stream<K2, V2, R | NeedsOf<Tables[keyof Tables]>> {
  return (s) => processNode("process", name, s, options, factory, false)
}

export function processValues<
  K,
  V,
  R,
  V2 = V,
  const Stores extends StoreDefinitions = {},
  const Tables extends ReadTables = {},
>(
  name: string,
  options: Omit<ProcessOptions<K, V2, Stores, Tables>, "key">,
  factory: (context: ValueProcessorContext<K, V2, Stores, Tables>) => RecordProcessor<K, V>,
): (s: Stream<K, V, R>) => Stream<K, V2, R | NeedsOf<Tables[keyof Tables]>> {
  return (s) => processNode("processValues", name, s, options, factory, true)
}

export function processNode(
  what: string,
  name: string,
  s: unknown,
  options: ProcessOptions<any, any, StoreDefinitions, ReadTables>,
  factory: (context: any) => RecordProcessor<any, any>,
  keepsKey: boolean,
  needsKey = false,
): Stream<any, any, any> {
  const input = streamNode(what, s)
  const definitions: StoreDefinitions = options.stores ?? {}
  const stores = Object.values(definitions).flatMap(({ spec, timers }) =>
    timers === undefined ? [spec] : [spec, timers],
  )
  if (options.timers === true) stores.push(timerSpec(name, input.key))
  const tables = Object.entries(options.tables ?? {})
  const reads = tables.map(([, table]) => flowOf(what, table, "table", "global table").node)
  const isKeyed = stores.length > 0 || reads.some((read) => !isGlobal(read))
  return streamOf(
    makeNode({
      operator: isKeyed ? keyedProcessOperator : processOperator,
      name,
      inputs: [input],
      reads,
      options: {
        keepsKey,
        timers: options.timers === true,
        tables: tables.map(([table]) => table),
        ...(needsKey && { needsKey }),
      },
      functions: { factory, definitions: () => definitions },
      stores,
      // Without a serde the types of key and value are the input's.
      key: options.key ?? input.key,
      value: options.value ?? input.value,
      keyChanged: keepsKey ? input.keyChanged && !isKeyed : true,
    }),
  )
}

const timerSpec = (name: string, key: Serde<any> | undefined): StoreSpec => ({
  name: `${name}-timers`,
  kind: "timer",
  key,
  value: undefined,
})

class UserProcessor extends Processor {
  readonly #user: RecordProcessor<unknown, unknown>
  readonly #opened: OpenStore<unknown>[] = []
  readonly #timers: TimerStore | undefined
  readonly #origin: Origin
  /** The record that is being processed; undefined in timers and punctuations. */
  #record: StreamRecord | undefined
  #key: unknown
  #timestamp = 0
  /** Stream time where this operator stands: behind effects it is not that of the task yet. */
  readonly #time: Cell | undefined
  readonly #failures: Failures | undefined
  #isMaking = true
  #schedules = 0
  /** What failed downstream of `forward`: no failure of this operator. */
  #downstream: { readonly cause: unknown } | undefined

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    const { options, functions } = node.logical
    const { punctuators } = context
    this.#failures = node.onFailure && new Failures(node, context, node.onFailure)
    this.#origin = { topic: "", partition: context.taskId.partition }
    if (options["timers"] === true) {
      this.#timers = context.store(`${node.name}-timers`) as TimerStore
      this.#time = context.cell(`${node.name}/time`)
      punctuators.onStreamTime(node.level, (time) => this.#advance(time))
    }
    try {
      this.#user = functions["factory"]!(this.#face(options["keepsKey"] === true)) as RecordProcessor<unknown, unknown>
    } catch (cause) {
      if (cause instanceof PipelineError) throw cause
      throw new PipelineError(
        `pipeline "${context.pipeline}", operator "${node.name}": ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      )
    }
    this.#isMaking = false
    if (this.#timers !== undefined && this.#user.onTimer === undefined) {
      throw this.#wrong("timers: true needs an onTimer")
    }
    context.atClose(() => this.#user.close?.())
  }

  #face(keepsKey: boolean): ProcessorContext<unknown, unknown, unknown, StoreDefinitions, ReadTables> {
    const { context } = this
    const { punctuators } = context
    return {
      stores: this.#open() as never,
      tables: this.#readers() as never,
      timers: {
        set: (key, time) => this.#requireTimers().set(key, time),
        delete: (key, time) => this.#requireTimers().delete(key, time),
      },
      schedule: (interval, type, punctuate) => this.#schedule(durationMs("schedule", interval), type, punctuate),
      commit: () => context.requestCommit(),
      get streamTime() {
        return punctuators.streamTime
      },
      get now() {
        return punctuators.now
      },
      partition: context.taskId.partition,
      applicationId: context.applicationId,
      forward: keepsKey
        ? (((value: unknown, options?: object) =>
            this.#forward({ ...options, key: this.#keyAtHand(), value })) as never)
        : (record) => this.#forward(record),
    }
  }

  #readers(): Record<string, TableState<unknown, unknown>> {
    const names = this.node.logical.options["tables"] as string[]
    const readers = names.map((name, at) => {
      const row = this.#reader(this.node.reads[at]!)
      return [
        name,
        { get: (key: unknown) => row(key).value, getStamped: (key: unknown) => stampedOf(row(key)) },
      ] as const
    })
    return Object.fromEntries(readers)
  }

  #reader(table: PhysicalNode): TableReader {
    if (!isGlobal(table.logical)) return tableReader(table, this.context)
    const rows = this.context.globalTable(table.stores[0]!.name)
    return (key) => rows.get(key)
  }

  #open(): Record<string, unknown> {
    const definitions = this.node.logical.functions["definitions"]!() as StoreDefinitions
    // oxlint-disable-next-line typescript/no-this-alias
    const processor = this
    const time: ProcessingTime = {
      get timestamp() {
        return processor.#timestamp
      },
      get headers() {
        return processor.#record?.headers ?? NO_HEADERS
      },
    }
    const states: Record<string, unknown> = {}
    for (const [name, definition] of Object.entries(definitions) as [string, StoreDefinition<unknown>][]) {
      const { spec, timers } = definition
      const opened = definition.open(
        this.context.store(spec.name),
        time,
        timers && (this.context.store(timers.name) as TimerStore),
      )
      this.#opened.push(opened)
      states[name] = opened.state
    }
    return states
  }

  #schedule(intervalMs: number, type: PunctuationType, punctuate: (time: number) => void): void {
    if (!this.#isMaking)
      throw this.#wrong("schedule is called while the processor is made; use timers for what comes later")
    if (intervalMs === 0) throw this.#wrong("a schedule's interval must be more than 0")
    const name = `${this.node.name}/${type}-${this.#schedules++}`
    const { punctuators } = this.context
    const run = (time: number) =>
      this.#outsideRecords(`the ${type} punctuation`, undefined, time, () => punctuate(time))
    if (type === "stream-time") punctuators.everyStreamTime(name, this.node.level, intervalMs, run)
    else punctuators.everyWallClock(name, this.node.level, intervalMs, run)
  }

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.context.drop("tombstone", record)
    if (this.node.logical.options["needsKey"] === true && isAbsent(record.key)) {
      return this.context.drop("null-key", record)
    }
    for (const opened of this.#opened) opened.observe?.(record)
    this.#record = record
    this.#key = record.key
    this.#timestamp = record.timestamp
    this.#call(record, () => this.#user.process(record as never))
    this.#fireDue()
  }

  override advance(time: number): void {
    for (const opened of this.#opened) opened.advance?.(time)
    if (this.#time !== undefined && time > this.#time.value) this.#advance(time)
  }

  #advance(time: number): void {
    this.#time!.value = time
    this.#fireDue()
  }

  #fireDue(): void {
    this.#timers?.fire(this.#time!.value, (key, time) => {
      this.#outsideRecords("a timer", key, time, () => this.#user.onTimer!(key, time))
    })
  }

  #outsideRecords(what: string, key: unknown, time: number, run: () => void): void {
    this.#record = undefined
    this.#key = key
    this.#timestamp = time
    const at = this.#pseudoRecord(what)
    try {
      this.#call(at, run)
    } catch (cause) {
      if (this.#failures === undefined) throw cause
      this.#failures.handle(cause, at)
    }
  }

  /** The user's own failures are told from those of operators downstream and from schemas that must be fetched first. */
  #call(record: StreamRecord, run: () => void): void {
    this.#downstream = undefined
    try {
      run()
    } catch (cause) {
      if (this.#downstream !== undefined || cause instanceof UnknownSchemaId) throw cause
      throw this.failed(record, cause)
    }
    // A processor must not swallow what failed downstream: the record would be lost.
    const swallowed = this.#downstream as { readonly cause: unknown } | undefined
    if (swallowed !== undefined) throw swallowed.cause
  }

  #forward({
    key,
    value,
    timestamp = this.#timestamp,
    headers,
  }: ForwardedRecord<unknown, unknown> & { headers?: Headers }): void {
    const from = this.#record ?? { headers: NO_HEADERS, offset: NO_OFFSET, origin: this.#origin, clock: this.#clock() }
    const { offset, origin, clock } = from
    const record = new StreamRecord(key, value, timestamp, headers ?? from.headers, offset, origin, clock, TOMBSTONE)
    const [keyAtHand, timeAtHand] = [this.#key, this.#timestamp]
    try {
      this.next.receive(record)
    } catch (cause) {
      this.#downstream = { cause }
      throw cause
    }
    this.#key = keyAtHand
    this.#timestamp = timeAtHand
  }

  /** A record of no input is judged by its own time, or by what was told behind a repartition, where times are others'. */
  #clock(): number {
    if (!this.context.isRepartitioned) return OWN_CLOCK
    return Math.max(this.context.punctuators.streamTime, this.#time?.value ?? NO_TIME)
  }

  #keyAtHand(): unknown {
    if (this.#record === undefined && this.#key === undefined) {
      throw new TypeError("a punctuation has no key to forward under; use process, which names the key")
    }
    return this.#key
  }

  #requireTimers(): TimerStore {
    if (this.#timers === undefined) throw new TypeError("timers need the option timers: true")
    return this.#timers
  }

  #pseudoRecord(what: string): StreamRecord {
    const origin = { topic: what, partition: this.context.taskId.partition }
    return new StreamRecord(this.#key, TOMBSTONE, this.#timestamp, NO_HEADERS, NO_OFFSET, origin, OWN_CLOCK, TOMBSTONE)
  }

  #wrong(message: string): PipelineError {
    return new PipelineError(`pipeline "${this.context.pipeline}", operator "${this.node.name}": ${message}`)
  }
}
