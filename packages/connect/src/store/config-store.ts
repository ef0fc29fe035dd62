/**
 * Where connectors' configurations and target states are kept. A port: in memory, or in a compacted topic in Kafka
 * Connect's format (`kafka-config-store.ts`).
 */
import type { ConnectorConfig, TargetState } from "../runtime/herder.ts"

export interface StoredConnector {
  readonly config: ConnectorConfig
  readonly target: TargetState
}

export interface ConfigStore {
  load(): Promise<ReadonlyMap<string, StoredConnector>>
  /** Resolves when the change is safe. */
  putConfig(name: string, config: ConnectorConfig): Promise<void>
  putTarget(name: string, target: TargetState): Promise<void>
  remove(name: string): Promise<void>
  close(): Promise<void>
}

export function memoryConfigStore(): ConfigStore {
  const connectors = new Map<string, StoredConnector>()
  return {
    load: () => Promise.resolve(connectors),
    putConfig(name, config) {
      connectors.set(name, { config, target: connectors.get(name)?.target ?? "STARTED" })
      return Promise.resolve()
    },
    putTarget(name, target) {
      const stored = connectors.get(name)
      if (stored) connectors.set(name, { ...stored, target })
      return Promise.resolve()
    },
    remove(name) {
      connectors.delete(name)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}
