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

/** What to bind. Without the config: one PLAINTEXT listener on the address given at the start. */
export function resolveListeners(configured: readonly string[] | null, listen: Address): ListenerSpec[] {
  if (configured === null) return [{ name: PLAINTEXT, address: listen }]
  const specs = configured.map((text) => parseListener("listeners", text))
  for (const { name } of specs) {
    if (specs.filter((other) => other.name === name).length > 1) {
      throw new ConfigError("listeners", `config listeners: the name ${name} is used twice`)
    }
  }
  return specs
}

/** What to tell clients of each bound listener; port 0 and absent entries take the bound address. */
export function resolveAdvertised(
  configured: readonly string[] | null,
  bound: readonly ListenerSpec[],
): ListenerSpec[] {
  const specs = (configured ?? []).map((text) => parseListener("advertised.listeners", text))
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
