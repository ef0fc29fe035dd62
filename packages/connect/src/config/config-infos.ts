/**
 * Kafka Connect's answer to a validation: every setting's definition, its value, and what is wrong with it.
 *
 * The definition's place in its group is `order` up to Kafka 4.1 and `order_in_group` from 4.2; both are given.
 */
import type { ConfigTable, Entry } from "@millrace/config"
import type { ConnectorDefinition } from "../connector.ts"
import type { Problem, Settings } from "./resolve.ts"
import { tablesOf } from "./resolve.ts"

export interface ConfigKeyInfo {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: string
  readonly documentation: string
  readonly group: string
  readonly order: number
  readonly order_in_group: number
  readonly width: string
  readonly display_name: string
  readonly dependents: readonly string[]
}

export interface ConfigInfos {
  readonly name: string
  readonly error_count: number
  readonly groups: readonly string[]
  readonly configs: readonly { readonly definition: ConfigKeyInfo; readonly value: ConfigValueInfo }[]
}

interface ConfigValueInfo {
  readonly name: string
  readonly value: string | null
  readonly recommended_values: readonly string[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

export const keyInfos = (group: string, table: ConfigTable): ConfigKeyInfo[] =>
  Object.entries(table)
    .filter(([, entry]) => !entry.hidden)
    .map(([name, entry], index) => keyInfo(group, name, entry, index + 1))

function keyInfo(group: string, name: string, entry: Entry<unknown>, order: number): ConfigKeyInfo {
  return {
    name,
    type: entry.type,
    required: entry.required,
    default_value: entry.default === undefined || entry.secret ? null : entry.print(entry.default),
    importance: entry.importance,
    documentation: entry.doc,
    group,
    order,
    order_in_group: order,
    width: "MEDIUM",
    display_name: name,
    dependents: [],
  }
}

export function configInfos(
  definition: ConnectorDefinition,
  settings: Settings,
  problems: readonly Problem[],
): ConfigInfos {
  const tables = tablesOf(definition)
  const known = new Set<string>()
  const configs = tables.flatMap(({ group, table }) =>
    keyInfos(group, table).map((info) => {
      known.add(info.name)
      return { definition: info, value: valueInfo(info.name, table[info.name], settings, problems) }
    }),
  )
  const elsewhere = [...new Set(problems.map((problem) => problem.key))].filter((key) => !known.has(key))
  const others = elsewhere.map((key) => ({
    definition: { ...UNKNOWN_KEY, name: key, display_name: key },
    value: valueInfo(key, undefined, settings, problems),
  }))
  const all = [...configs, ...others]
  return {
    name: definition.className,
    error_count: all.reduce((sum, { value }) => sum + value.errors.length, 0),
    groups: tables.map(({ group }) => group),
    configs: all,
  }
}

const UNKNOWN_KEY: ConfigKeyInfo = {
  name: "",
  type: "STRING",
  required: false,
  default_value: null,
  importance: "LOW",
  documentation: "",
  group: "Common",
  order: -1,
  order_in_group: -1,
  width: "NONE",
  display_name: "",
  dependents: [],
}

function valueInfo(
  name: string,
  entry: Entry<unknown> | undefined,
  settings: Settings,
  problems: readonly Problem[],
): ConfigValueInfo {
  const given = settings[name] ?? (entry?.default === undefined ? null : entry.print(entry.default))
  return {
    name,
    value: entry?.secret && given !== null ? "[hidden]" : given,
    recommended_values: [],
    errors: problems.filter((problem) => problem.key === name).map((problem) => problem.message),
    visible: true,
  }
}
