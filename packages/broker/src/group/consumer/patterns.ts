/**
 * Regular expressions that members subscribe to, in RE2's syntax, as Kafka's broker evaluates them: the whole name must
 * match, and no expression takes more than linear time, since clients send them.
 *
 * The library is loaded when the first one comes. Until then, as after a restart, `matcher` knows none.
 */
export type TopicMatcher = (topic: string) => boolean

export interface TopicPatterns {
  /** Undefined while the library is not loaded; loading begins then. */
  matcher(pattern: string): TopicMatcher | undefined
}

type Re2 = (typeof import("re2js"))["RE2JS"]

/** Kept compiled; the oldest goes when there are more. */
const PATTERNS_MAX = 1_000

export class Re2Patterns implements TopicPatterns {
  #library: Re2 | undefined
  #loading: Promise<void> | undefined
  readonly #matchers = new Map<string, TopicMatcher>()

  load(): Promise<void> {
    return (this.#loading ??= import("re2js").then(({ RE2JS }) => {
      this.#library = RE2JS
    }))
  }

  /** What is wrong with a pattern; undefined when nothing is. Only after `load`. */
  fault(pattern: string): string | undefined {
    try {
      this.matcher(pattern)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  matcher(pattern: string): TopicMatcher | undefined {
    const known = this.#matchers.get(pattern)
    if (known !== undefined) return known
    if (this.#library === undefined) {
      void this.load()
      return undefined
    }
    const compiled = this.#library.compile(pattern)
    const matcher = (topic: string) => compiled.matches(topic)
    this.#matchers.set(pattern, matcher)
    if (this.#matchers.size > PATTERNS_MAX) this.#matchers.delete(this.#matchers.keys().next().value!)
    return matcher
  }
}
