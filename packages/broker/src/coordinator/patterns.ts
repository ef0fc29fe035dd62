/**
 * Regular expressions that clients send, of topics that members subscribe to and of transactional ids that are listed, in
 * RE2's syntax, as Kafka's broker evaluates them: the whole name must match, and none takes more than linear time.
 *
 * The library is loaded when the first one comes. Until then, as after a restart, `matcher` knows none.
 */
export type NameMatcher = (name: string) => boolean

export interface NamePatterns {
  /** Undefined while the library is not loaded; loading begins then. */
  matcher(pattern: string): NameMatcher | undefined
}

type Re2 = (typeof import("re2js"))["RE2JS"]

/** Kept compiled; the oldest goes when there are more. */
const PATTERNS_MAX = 1_000

export class Re2Patterns implements NamePatterns {
  #library: Re2 | undefined
  #loading: Promise<void> | undefined
  readonly #matchers = new Map<string, NameMatcher>()

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

  matcher(pattern: string): NameMatcher | undefined {
    const known = this.#matchers.get(pattern)
    if (known !== undefined) return known
    if (this.#library === undefined) {
      void this.load()
      return undefined
    }
    const compiled = this.#library.compile(pattern)
    const matcher = (name: string) => compiled.matches(name)
    this.#matchers.set(pattern, matcher)
    if (this.#matchers.size > PATTERNS_MAX) this.#matchers.delete(this.#matchers.keys().next().value!)
    return matcher
  }
}
