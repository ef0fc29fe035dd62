/**
 * Kafka's `listeners` and `advertised.listeners`: NAME://HOST:PORT, where an empty host means all addresses.
 */
import { ConfigError } from "@millrace/config"
import { type Address, parseAddress } from "@millrace/host"
import { PROTOCOL_NUMBERS, type SecurityProtocol } from "../security/protocol.ts"

export interface NamedAddress {
  readonly name: string
  readonly address: Address
}

export interface ListenerSpec extends NamedAddress {
  readonly protocol: SecurityProtocol
}

const PLAINTEXT = "PLAINTEXT"
const ALL_ADDRESSES = "0.0.0.0"

export function parseListener(key: string, text: string): NamedAddress {
  const match = /^([A-Za-z0-9_]+):\/\/(.*)$/.exec(text)
  const host = match?.[2]
  const address = host === undefined ? undefined : parseAddress(host.startsWith(":") ? ALL_ADDRESSES + host : host)
  if (!match || !address) {
    throw new ConfigError(key, `config ${key}: ${JSON.stringify(text)} must have the form NAME://HOST:PORT`)
  }
  return { name: match[1]!.toUpperCase(), address }
}

export interface ListenerConfig {
  readonly listeners: readonly string[] | null
  readonly "controller.listener.names": readonly string[] | null
  readonly "listener.security.protocol.map": string
}

/**
 * What to bind. Without the config: one PLAINTEXT listener on the address given at the start. A controller's listener is
 * left out: this node talks to its controller within itself.
 */
export function resolveListeners(config: ListenerConfig, listen: Address): ListenerSpec[] {
  if (config.listeners === null) return [{ name: PLAINTEXT, address: listen, protocol: PLAINTEXT }]
  const specs = config.listeners
    .map((text) => parseListener("listeners", text))
    .filter(({ name }) => !controllerNames(config).includes(name))
    .map((spec) => ({ ...spec, protocol: protocolOf(spec.name, config["listener.security.protocol.map"]) }))
  if (specs.length === 0) throw new ConfigError("listeners", "config listeners: there is none for clients")
  for (const { name } of specs) {
    if (specs.filter((other) => other.name === name).length > 1) {
      throw new ConfigError("listeners", `config listeners: the name ${name} is used twice`)
    }
  }
  return specs
}

function controllerNames(config: Pick<ListenerConfig, "controller.listener.names">): string[] {
  return config["controller.listener.names"]?.map((name) => name.toUpperCase()) ?? []
}

const MAP = "listener.security.protocol.map"

/** By the map; a listener that is not in it and is called after a protocol speaks that. */
function protocolOf(name: string, map: string): SecurityProtocol {
  const entry = map.split(",").find((entry) => entry.split(":")[0]?.trim().toUpperCase() === name)
  const asked = entry?.split(":")[1]?.trim().toUpperCase() ?? name
  if (Object.hasOwn(PROTOCOL_NUMBERS, asked)) return asked as SecurityProtocol
  const reason = entry === undefined ? `listener ${name} is not in it` : `${asked} is no protocol`
  throw new ConfigError(MAP, `config ${MAP}: ${reason}; there are ${Object.keys(PROTOCOL_NUMBERS).join(", ")}`)
}

/** What to tell clients of each bound listener; port 0 and absent entries take the bound address. */
export function resolveAdvertised(
  config: Pick<ListenerConfig, "controller.listener.names"> & {
    readonly "advertised.listeners": readonly string[] | null
  },
  bound: readonly ListenerSpec[],
): ListenerSpec[] {
  const specs = (config["advertised.listeners"] ?? [])
    .map((text) => parseListener("advertised.listeners", text))
    .filter(({ name }) => !controllerNames(config).includes(name))
  for (const { name } of specs) {
    if (!bound.some((listener) => listener.name === name)) {
      throw new ConfigError("advertised.listeners", `config advertised.listeners: there is no listener named ${name}`)
    }
  }
  return bound.map((listener) => {
    const spec = specs.find((candidate) => candidate.name === listener.name)
    if (!spec) return listener
    const port = spec.address.port === 0 ? listener.address.port : spec.address.port
    return { ...listener, address: { host: spec.address.host, port } }
  })
}
