/**
 * Values of any message in any version, made from the table that the codecs are made from. Most numbers are what a client
 * would send, some are at the edges of their types; now and then one list is very long.
 */
import { INT64_MAX, INT64_MIN, type Message } from "@millrace/protocol"
import { codecOf } from "@millrace/protocol/schema/codec"
import { defaultOf, type PlannedField, type PlannedStruct } from "@millrace/protocol/schema/plan"
import type { SeededRandom } from "@millrace/simulation/random"
import { blob } from "./blobs.ts"
import { EDGES } from "./damage.ts"
import type { Words } from "./words.ts"

const EDGE_CHANCE = 0.06
const WIDE_CHANCE = 1 / 800
const WIDE_MAX = 40_000
/** Above this many, the elements of a list repeat. */
const DISTINCT_MAX = 2_000

export class Values {
  readonly #random: SeededRandom
  readonly #words: Words
  readonly #now: number
  /** How many elements the next list gets. */
  #wide: number

  constructor(random: SeededRandom, words: Words, now: number) {
    this.#random = random
    this.#words = words
    this.#now = now
    this.#wide = random.chance(WIDE_CHANCE) ? Math.floor(WIDE_MAX ** random.float()) : 0
  }

  of(message: Message, version: number): Record<string, unknown> {
    return this.#struct(codecOf(message, version).plan, message.name)
  }

  #struct(plan: PlannedStruct, parent: string): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const field of plan.fields) value[field.name] = field.present ? this.#field(field, parent) : defaultOf(field)
    return value
  }

  #field(field: PlannedField, parent: string): unknown {
    const random = this.#random
    if (field.nullable && random.chance(0.25)) return null
    if (field.tag >= 0 && random.chance(0.5)) return defaultOf(field)
    if (field.type === "struct") return this.#struct(field.struct!, field.name)
    if (field.type === "array") return this.#list(field)
    // A bare name is of what it stands in: a topic, a config, a protocol.
    return this.#scalar(field.name === "name" ? parent : field.name, field.type)
  }

  #list(field: PlannedField): unknown[] {
    const random = this.#random
    const length = this.#wide > 0 ? this.#wide : random.pick([0, 1, 1, 1, 2, 3])
    const isWide = this.#wide > 0
    this.#wide = 0
    const element = () =>
      field.element === "struct" ? this.#struct(field.struct!, field.name) : this.#scalar(field.name, field.element!)
    const distinct = Array.from({ length: Math.min(length, DISTINCT_MAX) }, element)
    if (isWide && random.chance(0.5)) this.#makeDistinct(field, distinct)
    return Array.from({ length }, (_, index) => distinct[index % distinct.length])
  }

  /** Gives each element names of its own. */
  #makeDistinct(field: PlannedField, elements: unknown[]): void {
    for (const [index, element] of elements.entries()) {
      if (field.element === "string") elements[index] = `${(element as string).slice(0, 200)}${index}`
      for (const part of field.struct?.fields ?? []) {
        const value = (element as Record<string, unknown>)[part.name]
        if (part.present && part.type === "string" && typeof value === "string")
          (element as Record<string, unknown>)[part.name] = `${value.slice(0, 200)}${index}`
      }
    }
  }

  #scalar(name: string, type: string): unknown {
    const random = this.#random
    switch (type) {
      case "bool":
        return random.chance(0.5)
      case "string":
        return this.#words.text(random, name)
      case "uuid":
        return this.#words.uuid(random)
      case "bytes":
      case "records":
        return blob(random, this.#words, name, this.#now)
      case "float64":
        return random.pick([0, -1, 1, 0.5, 1e308, -0])
      case "int8":
        return random.chance(EDGE_CHANCE) ? random.between(-128, 127) : (usual(random, name) << 24) >> 24
      case "int16":
        return random.chance(EDGE_CHANCE) ? (random.pick(EDGES) << 16) >> 16 : (this.#number(name) << 16) >> 16
      case "uint16":
        return random.chance(EDGE_CHANCE) ? random.pick(EDGES) & 0xffff : usual(random, name) & 0xffff
      case "uint32":
        return random.chance(EDGE_CHANCE) ? random.pick(EDGES) >>> 0 : usual(random, name) >>> 0
      case "int32":
        return random.chance(EDGE_CHANCE) ? random.pick(EDGES) | 0 : this.#number(name) | 0
      default:
        if (random.chance(EDGE_CHANCE))
          return random.pick([...EDGES, INT64_MAX, INT64_MIN, 2 ** 53 - 1, -(2 ** 53 - 1)])
        return /time/i.test(name) && random.chance(0.5) ? this.#now : this.#number(name)
    }
  }

  #number(name: string): number {
    const random = this.#random
    const kind = /producerId$/i.test(name)
      ? "producerId"
      : /producerEpoch/i.test(name)
        ? "producerEpoch"
        : /generation/i.test(name)
          ? "generationId"
          : /memberEpoch/i.test(name)
            ? "memberEpoch"
            : /sessionId/i.test(name)
              ? "sessionId"
              : undefined
    const told = kind === undefined || random.chance(0.15) ? undefined : this.#words.told<number>(random, kind)
    return told ?? usual(random, name)
  }
}

/** A number that a client would send in a field of this name. */
function usual(random: SeededRandom, name: string): number {
  if (/maxWait|timeout|Ms$/i.test(name)) return random.pick([0, 1, 100, 1_000, 6_000, 10_000, 30_000])
  if (/bytes/i.test(name)) return random.pick([1, 1_000, 1_000_000])
  if (/^acks$/i.test(name)) return random.pick([-1, -1, 1, 0])
  if (/partitions?(Index|Id|Indexes)?$|^index|^count$|numPartitions/i.test(name)) return random.pick([0, 0, 0, 1, 2, 5])
  if (/replicationFactor/i.test(name)) return random.pick([-1, 1])
  if (/replicaId|broker|node|leader/i.test(name)) return random.pick([-1, 1, 0])
  if (/resourceType|Operation|permission|patternType|keyType|matchType|mechanism/i.test(name)) return random.int(9)
  if (/timestamp/i.test(name)) return random.pick([-1, -2, -3, 0])
  if (/iterations/i.test(name)) return random.pick([4096, 16_384])
  if (/epoch/i.test(name)) return random.pick([-1, -1, -1, 0, 1])
  if (/offset/i.test(name)) return random.pick([0, 0, 1, 5, -1])
  return random.pick([0, 0, 1, 2, 3, -1])
}
