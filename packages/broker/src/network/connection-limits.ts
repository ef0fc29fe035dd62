/**
 * The limits of connections as settings give them: of the broker as they are now, of a listener as they were at the start.
 */
import type { Values } from "@millrace/config"
import type { BrokerConfig } from "../config/broker.ts"
import { type connectionLimitsConfig, ipOverrides } from "../config/network.ts"
import { listenerLimits } from "../security/listener-security.ts"
import type { ConnectionLimits, SharedLimits } from "./connection-quotas.ts"
import type { ListenerSpec } from "./listeners.ts"

export const connectionLimits = (config: BrokerConfig): ConnectionLimits => ({
  ...sharedLimits(config),
  perIpMax: config["max.connections.per.ip"],
  perIpOverrides: ipOverrides(config["max.connections.per.ip.overrides"])!,
})

/** By the listener's name. Throws a ConfigError that names what cannot be read. */
export function limitsOfListeners(
  specs: readonly ListenerSpec[],
  settings: Readonly<Record<string, string>>,
): ReadonlyMap<string, SharedLimits> {
  return new Map(specs.map(({ name }) => [name, sharedLimits(listenerLimits(name, settings))]))
}

const sharedLimits = (config: Values<typeof connectionLimitsConfig>): SharedLimits => ({
  connectionsMax: config["max.connections"],
  creationRate: config["max.connection.creation.rate"],
})
