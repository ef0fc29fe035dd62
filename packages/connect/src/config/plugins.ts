/**
 * What a worker can run: connectors and converters by class name or alias. Explicit values; nothing registers itself.
 */
import { type ConfigTable, ConfigError, nearestKey } from "@millrace/config"
import type { ConnectorDefinition } from "../connector.ts"
import type { ConverterDefinition } from "../converter/converter.ts"

export interface Plugin {
  readonly className: string
  readonly type: "source" | "sink" | "converter"
  readonly version: string
  readonly config: ConfigTable
}

export class Plugins {
  readonly connectors: readonly ConnectorDefinition[]
  readonly converters: readonly ConverterDefinition[]
  readonly #connectorsByName = new Map<string, ConnectorDefinition>()
  readonly #convertersByName = new Map<string, ConverterDefinition>()

  constructor(connectors: readonly ConnectorDefinition[], converters: readonly ConverterDefinition[]) {
    this.connectors = connectors
    this.converters = converters
    for (const one of connectors) {
      for (const name of [one.className, ...(one.aliases ?? [])]) addOnce(this.#connectorsByName, name, one)
    }
    for (const one of converters) {
      for (const name of [one.className, ...one.aliases]) addOnce(this.#convertersByName, name, one)
    }
  }

  findConnector = (name: string): ConnectorDefinition | undefined => this.#connectorsByName.get(name)

  connector(name: string): ConnectorDefinition {
    const found = this.#connectorsByName.get(name)
    if (found) return found
    throw new ConfigError("connector.class", unknownMessage("connector.class", name, this.#connectorsByName))
  }

  /** `key` is the setting that names the converter. */
  converter(key: string, name: string): ConverterDefinition {
    const found = this.#convertersByName.get(name)
    if (found) return found
    throw new ConfigError(key, unknownMessage(key, name, this.#convertersByName))
  }

  list(connectorsOnly: boolean): Plugin[] {
    const connectors = this.connectors.map((one): Plugin => ({ ...one, type: one.kind }))
    const converters = this.converters.map((one): Plugin => ({ ...one, type: "converter" }))
    return connectorsOnly ? connectors : [...connectors, ...converters]
  }

  find(name: string): Plugin | undefined {
    const connector = this.#connectorsByName.get(name)
    if (connector) return { ...connector, type: connector.kind }
    const converter = this.#convertersByName.get(name)
    return converter && { ...converter, type: "converter" }
  }
}

function addOnce<T>(map: Map<string, T>, name: string, one: T): void {
  const known = map.get(name)
  if (known && known !== one) throw new Error(`two plugins have the name ${name}`)
  map.set(name, one)
}

function unknownMessage(key: string, name: string, known: ReadonlyMap<string, unknown>): string {
  const nearest = nearestKey([...known.keys()], name)
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`
  return `config ${key}: there is no ${JSON.stringify(name)} here${hint}`
}
