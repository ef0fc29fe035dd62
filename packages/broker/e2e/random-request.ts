/**
 * A request of any API and version out of a seed: values that mean something to a broker, that mean nothing, and that are out
 * of range, in lists that are empty, short, or say the same twice. Names of topics and their ids stand for themselves, so that
 * the same request can be put to two brokers.
 */
import type { Api, Field, Fields } from "@millrace/protocol"

export type Random = () => number

/** mulberry32: the same numbers for the same seed, everywhere. */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What a field may hold, by its name: what makes sense, and what does not. The first entry that matches counts. */
export type Pools = readonly (readonly [name: RegExp, good: readonly unknown[], odd?: readonly unknown[]])[]

/** How often a field is odd: seldom, so that most requests are wrong in one place alone, or in none. */
const ODD = 0.06
const LIST_MAX = 2
const NULLS = 0.15

export class RequestMaker {
  readonly #random: Random
  readonly #pools: Pools

  constructor(random: Random, pools: Pools) {
    this.#random = random
    this.#pools = pools
  }

  of(api: Api, version: number): Record<string, unknown> {
    return this.#struct(api.request.fields, version)
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)]!
  }

  #struct(fields: Fields, version: number): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(fields)) {
      // Tagged ones are left out: most are what brokers tell each other.
      if (field.tag === undefined && includes(field.versions, version)) value[name] = this.#value(name, field, version)
    }
    return value
  }

  #value(name: string, field: Field, version: number): unknown {
    if (field.type === "records") return this.#scalar(name, field)
    if (field.nullable !== undefined && includes(field.nullable, version) && this.#random() < NULLS) return null
    if (field.type === "struct") return this.#struct(field.fields!, version)
    if (field.type !== "array") return this.#scalar(name, field)
    const count =
      this.#random() < ODD && !/^(partition|transactions)/.test(name) ? 0 : 1 + Math.floor(this.#random() * LIST_MAX)
    // Nothing twice: what that means is told by the scenes of each API.
    const items = new Map<string, unknown>()
    for (let index = 0; index < count; index++) {
      const item =
        field.element === "struct"
          ? this.#struct(field.fields!, version)
          : this.#scalar(name, { ...field, type: field.element! })
      items.set(identity(item), item)
    }
    return [...items.values()]
  }

  #scalar(name: string, { type }: Pick<Field, "type">): unknown {
    const pool = this.#pools.find(([pattern]) => pattern.test(name))
    if (pool !== undefined) {
      const [, good, odd = []] = pool
      return this.pick(odd.length > 0 && (good.length === 0 || this.#random() < ODD) ? odd : good)
    }
    switch (type) {
      case "bool":
        return this.#random() < 0.5
      case "string":
        return this.pick(["", "x", "a b", "ä"])
      case "bytes":
      case "records":
        return new Uint8Array(this.pick([0, 3]))
      case "float64":
        return this.pick([0, -1, 1.5])
      default:
        return this.pick([0, 1, 2, -1, 7])
    }
  }
}

/** By what an item of a list is told from others: the first of its fields that say something. */
function identity(item: unknown): string {
  if (typeof item !== "object" || item === null) return String(item)
  const { name, topic, topicId, partition, partitionIndex, index, resourceName, transactionalId, groupId } =
    item as Record<string, unknown>
  const told = [name, topic, topicId, partition, partitionIndex, index, resourceName, transactionalId, groupId].filter(
    (value) => value !== undefined,
  )
  return told.length > 0 ? told.join() : JSON.stringify(item)
}

/** `0+`, `3-5`, `4`: whether a version is among them. */
export function includes(versions: string, version: number): boolean {
  const [, min, plus, max] = /^(\d+)(\+)?(?:-(\d+))?$/.exec(versions) ?? []
  return min !== undefined && version >= Number(min) && (plus !== undefined || version <= Number(max ?? min))
}
