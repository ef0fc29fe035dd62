/**
 * Connector configurations as Kafka Connect writes them to its config topic:
 *
 *   connector-NAME     {"properties": {…}}
 *   target-state-NAME  {"state": "PAUSED", "state.v2": "STOPPED"}
 *
 * `state` is for workers that do not know STOPPED: they see PAUSED. A null value deletes. Other keys of that topic belong
 * to distributed workers and are left alone.
 */
import type { ConnectorConfig, TargetState } from "../runtime/herder.ts"
import { isPlainObject } from "../data/schema.ts"
import type { StoredConnector } from "./config-store.ts"

const CONNECTOR = "connector-"
const TARGET = "target-state-"
const TARGETS: readonly unknown[] = ["STARTED", "PAUSED", "STOPPED"] satisfies TargetState[]

export interface ConfigRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

export const connectorRecord = (name: string, config: ConnectorConfig | null): ConfigRecord => ({
  key: bytes(CONNECTOR + name),
  value: config && bytes(JSON.stringify({ properties: config })),
})

export const targetRecord = (name: string, target: TargetState | null): ConfigRecord => ({
  key: bytes(TARGET + name),
  value: target && bytes(JSON.stringify({ state: target === "STOPPED" ? "PAUSED" : target, "state.v2": target })),
})

/** Applies records in the topic's order; what is left is what is configured. */
export class ConfigReplay {
  readonly #configs = new Map<string, ConnectorConfig>()
  readonly #targets = new Map<string, TargetState>()

  replay(key: Uint8Array | null, value: Uint8Array | null): void {
    const name = key === null ? "" : text(key)
    const json = value === null ? undefined : parse(value)
    if (name.startsWith(CONNECTOR)) {
      const properties = isPlainObject(json) ? json["properties"] : undefined
      if (isPlainObject(properties)) this.#configs.set(name.slice(CONNECTOR.length), properties as ConnectorConfig)
      else this.#configs.delete(name.slice(CONNECTOR.length))
    } else if (name.startsWith(TARGET)) {
      const state = isPlainObject(json) ? (json["state.v2"] ?? json["state"]) : undefined
      if (TARGETS.includes(state)) this.#targets.set(name.slice(TARGET.length), state as TargetState)
      else this.#targets.delete(name.slice(TARGET.length))
    }
  }

  connectors(): Map<string, StoredConnector> {
    const found = new Map<string, StoredConnector>()
    for (const [name, config] of this.#configs)
      found.set(name, { config, target: this.#targets.get(name) ?? "STARTED" })
    return found
  }
}

const bytes = (value: string): Uint8Array => Buffer.from(value, "utf8")
const text = (value: Uint8Array): string =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8")

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(text(value))
  } catch {
    return undefined
  }
}
