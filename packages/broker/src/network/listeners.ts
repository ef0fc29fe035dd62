/**
 * Kafka's `listeners` and `advertised.listeners`: NAME://HOST:PORT, where an empty host means all addresses.
 */
import { ConfigError } from "@millrace/config"
import { type Address, parseAddress } from "@millrace/host"

export interface ListenerSpec {
  readonly name: string
  readonly address: Address
}

const PLAINTEXT = "PLAINTEXT"
const ALL_ADDRESSES = "0.0.0.0"

export function parseListener(key: string, text: string): ListenerSpec {
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
 * left out: this node talks to its controller within itself. What asks for TLS or SASL is refused rather than opened
 * in the clear.
 */
export function resolveListeners(config: ListenerConfig, listen: Address): ListenerSpec[] {
  if (config.listeners === null) return [{ name: PLAINTEXT, address: listen }]
  const specs = config.listeners
    .map((text) => parseListener("listeners", text))
    .filter(({ name }) => !controllerNames(config).includes(name))
  if (specs.length === 0) throw new ConfigError("listeners", "config listeners: there is none for clients")
  for (const { name } of specs) {
    const protocol = protocolOf(name, config["listener.security.protocol.map"])
    if (protocol !== PLAINTEXT) {
      throw new ConfigError("listeners", `config listeners: ${name} asks for ${protocol}; this broker speaks PLAINTEXT`)
    }
  }
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

const protocols = ["SSL", "SASL_PLAINTEXT", "SASL_SSL"]

function protocolOf(name: string, map: string): string {
  for (const entry of map.split(",")) {
    const [listener, protocol] = entry.split(":")
    if (listener?.trim().toUpperCase() === name && protocol) return protocol.trim().toUpperCase()
  }
  return protocols.includes(name) ? name : PLAINTEXT
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
    return { name: listener.name, address: { host: spec.address.host, port } }
  })
}
