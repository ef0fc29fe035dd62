/**
 * A connector's settings, resolved against the plugins and the worker: all wrong keys at once, or everything needed to
 * run it.
 */
import { type ConfigTable, ConfigError, parse, type Values } from "@millrace/config"
import type { ConnectorDefinition, SinkConnector, SourceConnector } from "../connector.ts"
import type { ConverterDefinition } from "../converter/converter.ts"
import { commonConfig, sinkConfig, sourceConfig } from "./connector-config.ts"
import type { Plugins } from "./plugins.ts"
import type { workerConfig } from "./worker-config.ts"

export type Settings = Readonly<Record<string, string>>
export type WorkerSettings = Values<typeof workerConfig>

export interface ChosenConverter {
  readonly definition: ConverterDefinition
  readonly values: Readonly<Record<string, unknown>>
}

interface Resolved {
  readonly name: string
  readonly settings: Settings
  readonly common: Values<typeof commonConfig>
  /** The connector's own values, by its own table. */
  readonly own: Readonly<Record<string, unknown>>
  readonly keyConverter: ChosenConverter
  readonly valueConverter: ChosenConverter
}

export interface ResolvedSource extends Resolved {
  readonly kind: "source"
  readonly definition: SourceConnector
  readonly source: Values<typeof sourceConfig>
}

export interface ResolvedSink extends Resolved {
  readonly kind: "sink"
  readonly definition: SinkConnector
  readonly sink: Values<typeof sinkConfig>
}

export type ResolvedConnector = ResolvedSource | ResolvedSink

export interface Problem {
  readonly key: string
  readonly message: string
}

export interface WorkerDefaults {
  readonly values: WorkerSettings
  /** As they were given: `key.converter.*` and `value.converter.*` among them. */
  readonly settings: Settings
}

/** The tables that a connector's settings are read with, and where each converter's settings lie. */
export function tablesOf(definition: ConnectorDefinition): { readonly group: string; readonly table: ConfigTable }[] {
  return [
    { group: "Common", table: commonConfig },
    definition.kind === "source" ? { group: "Source", table: sourceConfig } : { group: "Sink", table: sinkConfig },
    { group: definition.className, table: definition.config },
  ]
}

/** Answers either what is wrong, or the resolved connector. */
export function resolveConnector(
  plugins: Plugins,
  worker: WorkerDefaults,
  settings: Settings,
): { readonly problems: readonly Problem[]; readonly resolved?: ResolvedConnector } {
  const problems: Problem[] = []
  const className = settings["connector.class"]
  const definition = className === undefined ? undefined : plugins.findConnector(className)
  const common = read(problems, commonConfig, settings)
  if (!definition) {
    if (className !== undefined) problems.push(...caught(() => plugins.connector(className)))
    return { problems }
  }
  const own = read(problems, definition.config, settings)
  const keyConverter = chooseConverter(problems, plugins, worker, settings, "key.converter")
  const valueConverter = chooseConverter(problems, plugins, worker, settings, "value.converter")
  const kind = definition.kind === "source" ? sourceConfig : sinkConfig
  const kindValues = read<ConfigTable>(problems, kind, settings)
  if (own) problems.push(...(definition.check?.(own as never) ?? []))
  if (kindValues) problems.push(...checkKind(definition, worker, settings, kindValues))
  if (problems.length > 0 || !common || !own || !kindValues || !keyConverter || !valueConverter) return { problems }
  const base = { name: common.name, settings, common, own, keyConverter, valueConverter }
  const resolved =
    definition.kind === "source"
      ? { ...base, kind: "source" as const, definition, source: kindValues as unknown as ResolvedSource["source"] }
      : { ...base, kind: "sink" as const, definition, sink: kindValues as unknown as ResolvedSink["sink"] }
  return { problems, resolved }
}

function read<T extends ConfigTable>(problems: Problem[], table: T, settings: Settings): Values<T> | undefined {
  const values: Record<string, unknown> = {}
  const before = problems.length
  for (const [name, entry] of Object.entries(table)) {
    const found = caught(() => {
      values[name] = parse({ [name]: entry }, settings, { unknown: "ignore" })[name]
    })
    problems.push(...found)
  }
  return problems.length === before ? (values as Values<T>) : undefined
}

/** The connector's converter with the settings behind its own prefix, or else the worker's with the worker's. */
function chooseConverter(
  problems: Problem[],
  plugins: Plugins,
  worker: WorkerDefaults,
  settings: Settings,
  key: "key.converter" | "value.converter",
): ChosenConverter | undefined {
  const ownName = settings[key]
  const name = ownName ?? worker.values[key]
  let definition: ConverterDefinition | undefined
  problems.push(...caught(() => (definition = plugins.converter(key, name))))
  if (!definition) return undefined
  const from = ownName === undefined ? worker.settings : settings
  const inner = withoutPrefix(from, `${key}.`)
  const wrong: Problem[] = []
  const values = read(wrong, definition.config, inner)
  problems.push(
    ...wrong.map((one) => ({ key: `${key}.${one.key}`, message: one.message.replace("config ", `config ${key}.`) })),
  )
  return values && { definition, values }
}

function checkKind(
  definition: ConnectorDefinition,
  worker: WorkerDefaults,
  settings: Settings,
  values: Readonly<Record<string, unknown>>,
): Problem[] {
  if (definition.kind === "source") {
    const required = values["exactly.once.support"] === "required"
    if (!required) return []
    if (!definition.exactlyOnce) {
      return [{ key: "exactly.once.support", message: `${definition.className} cannot be exactly-once` }]
    }
    if (worker.values["exactly.once.source.support"] === "enabled") return []
    return [{ key: "exactly.once.support", message: "the worker's exactly.once.source.support is not enabled" }]
  }
  const problems: Problem[] = []
  const topics = values["topics"] as readonly string[]
  const pattern = values["topics.regex"] as string | null
  if (topics.length > 0 === (pattern !== null)) {
    problems.push({ key: "topics", message: "a sink needs either topics or topics.regex" })
  }
  const dead = settings["errors.deadletterqueue.topic.name"] ?? ""
  if (dead !== "" && (topics.includes(dead) || (pattern !== null && new RegExp(`^(?:${pattern})$`).test(dead)))) {
    problems.push({
      key: "errors.deadletterqueue.topic.name",
      message: `${dead} is among the topics that the sink reads`,
    })
  }
  return problems
}

function withoutPrefix(settings: Settings, prefix: string): Settings {
  const inner: Record<string, string> = {}
  for (const [key, value] of Object.entries(settings))
    if (key.startsWith(prefix)) inner[key.slice(prefix.length)] = value
  return inner
}

function caught(run: () => unknown): Problem[] {
  try {
    run()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ key: error.key, message: error.message }]
  }
}
