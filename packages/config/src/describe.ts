/**
 * DescribeConfigs rows: every entry of a table with its effective value, where that value comes from, and all the
 * places that could have given it, strongest first.
 */
import type { ConfigType, Entry } from "./entry.ts"
import { scaled } from "./parse.ts"
import type { ConfigTable } from "./table.ts"

/** Kafka's numbers for where a value comes from. */
export const ConfigSource = {
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

/** Settings from one source. Layers are given strongest first. */
export interface ConfigLayer {
  readonly source: ConfigSource
  readonly settings: Readonly<Record<string, string>>
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

export interface ConfigRow {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
  readonly type: ConfigType
  readonly documentation: string
  readonly isSensitive: boolean
  readonly readOnly: boolean
  readonly synonyms: readonly ConfigSynonym[]
}

/** `isReadOnly` decides per entry; by default what is not dynamic is. */
export function describe(
  table: ConfigTable,
  layers: readonly ConfigLayer[],
  isReadOnly: (entry: Entry<unknown>) => boolean = (entry) => entry.dynamic === "read-only",
): ConfigRow[] {
  const rows: ConfigRow[] = []
  for (const [name, entry] of Object.entries(table)) {
    const synonyms = sources(name, entry, layers)
    const effective = synonyms[0]
    rows.push({
      name,
      value: effective ? hideSecret(entry, effective.inUnitOfEntry) : null,
      source: effective?.source ?? ConfigSource.DEFAULT_CONFIG,
      type: entry.type,
      documentation: entry.doc,
      isSensitive: entry.secret,
      readOnly: isReadOnly(entry),
      synonyms: synonyms.map((synonym) => ({
        name: synonym.name,
        value: hideSecret(entry, synonym.value),
        source: synonym.source,
      })),
    })
  }
  return rows
}

function hideSecret(entry: Entry<unknown>, value: string | null): string | null {
  return entry.secret ? null : value
}

interface Found extends ConfigSynonym {
  readonly inUnitOfEntry: string | null
}

function sources(name: string, entry: Entry<unknown>, layers: readonly ConfigLayer[]): Found[] {
  const found: Found[] = []
  const names = [{ name, scale: undefined as number | undefined }, ...entry.synonyms.filter((s) => s.name !== name)]
  for (const layer of layers) {
    for (const { name: candidate, scale } of names) {
      const value = Object.hasOwn(layer.settings, candidate) ? layer.settings[candidate] : undefined
      if (value === undefined) continue
      found.push({ name: candidate, value, source: layer.source, inUnitOfEntry: scaled(value, scale) })
    }
  }
  const own = entry.default === undefined ? null : entry.print(entry.default)
  if (own !== null) {
    const last = names.at(-1)!
    found.push({
      name: last.name,
      value: last.scale === undefined ? own : String(Number(own) / last.scale),
      source: ConfigSource.DEFAULT_CONFIG,
      inUnitOfEntry: own,
    })
  }
  return found
}
