/**
 * A tracer provider and a context manager that keep spans in memory: the API implemented as an SDK would.
 */
import {
  type Attributes,
  type Context,
  context,
  type ContextManager,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api"

export class RecordedSpan implements Span {
  readonly attributes: Attributes = {}
  readonly exceptions: string[] = []
  status: SpanStatus = { code: SpanStatusCode.UNSET }
  isEnded = false
  readonly name: string
  readonly parent: SpanContext | undefined
  readonly links: readonly Link[]
  readonly #context: SpanContext

  constructor(name: string, own: SpanContext, parent: SpanContext | undefined, options: SpanOptions) {
    this.name = name
    this.#context = own
    this.parent = parent
    this.links = options.links ?? []
    Object.assign(this.attributes, options.attributes)
  }

  spanContext = () => this.#context
  isRecording = () => !this.isEnded
  addEvent = () => this
  addLink = () => this
  addLinks = () => this
  updateName = () => this

  setAttribute(name: string, value: Attributes[string]): this {
    this.attributes[name] = value
    return this
  }

  setAttributes(all: Attributes): this {
    Object.assign(this.attributes, all)
    return this
  }

  setStatus(status: SpanStatus): this {
    this.status = status
    return this
  }

  recordException(exception: unknown): void {
    this.exceptions.push((exception as Error).message)
  }

  end(): void {
    this.isEnded = true
  }
}

export class InMemoryTracer implements Tracer, TracerProvider {
  readonly spans: RecordedSpan[] = []

  getTracer(): Tracer {
    return this
  }

  startSpan(name: string, options: SpanOptions = {}, within: Context = context.active()): Span {
    const parent = options.root ? undefined : trace.getSpanContext(within)
    const id = (digits: number) => (this.spans.length + 1).toString(16).padStart(digits, "0")
    const traceId = parent?.traceId ?? `f${id(31)}`
    const span = new RecordedSpan(name, { traceId, spanId: id(16), traceFlags: TraceFlags.SAMPLED }, parent, options)
    this.spans.push(span)
    return span
  }

  startActiveSpan(): never {
    throw new Error("the runtime does not use it")
  }

  ended(name: string): RecordedSpan[] {
    return this.spans.filter((span) => span.name === name && span.isEnded)
  }
}

/** For what runs synchronously, as callbacks of a pipeline do. */
export class StackContextManager implements ContextManager {
  #active: Context = ROOT_CONTEXT

  active = () => this.#active
  enable = () => this
  disable = () => this
  bind = <T>(_: Context, target: T) => target

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const before = this.#active
    this.#active = active
    try {
      return run.call(self!, ...args)
    } finally {
      this.#active = before
    }
  }
}
