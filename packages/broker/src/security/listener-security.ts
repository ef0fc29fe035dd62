/**
 * What one listener asks of its clients and shows them, made of the settings: those of all listeners, with those of its own
 * (`listener.name.NAME.KEY`) over them.
 */
import { ConfigError, jaasOptions, parse, type Values } from "@millrace/config"
import { type CertificateValidity, sslStores } from "@millrace/config/ssl-stores"
import type { Clock, Disk, Random, ServerTls, TlsVersion } from "@millrace/host"
import { isScramMechanism, type ScramCredential, type ScramMechanism } from "@millrace/protocol/sasl/scram"
import { connectionLimitsConfig } from "../config/network.ts"
import { listenerSecurityConfig } from "../config/security.ts"
import type { ListenerSpec } from "../network/listeners.ts"
import { Authentication } from "./authentication.ts"
import { KeySet } from "./key-set.ts"
import { OAuthBearerServer, type TokenRules } from "./oauth-bearer.ts"
import { PlainServer, plainUsers } from "./plain.ts"
import { ANONYMOUS, principalMapping, userPrincipal } from "./principal.ts"
import type { SaslServerFactory } from "./sasl.ts"
import { ScramServer, type TokenCredential } from "./scram-server.ts"

export interface ListenerSecurity {
  readonly tls: ServerTls | undefined
  /** Of the certificate that it shows. */
  readonly validity: CertificateValidity | undefined
  /** Who a connection is before, or without, SASL. */
  principal(subject: string | undefined): string
  /** Of a new connection; undefined where clients do not authenticate with SASL. */
  newAuthentication(): Authentication | undefined
}

const NO_TLS = { tls: undefined, validity: undefined }

/** Nobody asks and nobody is asked. */
export const IN_THE_CLEAR: ListenerSecurity = {
  ...NO_TLS,
  principal: () => ANONYMOUS,
  newAuthentication: () => undefined,
}

export interface SecurityPorts {
  readonly disk: Disk
  readonly random: Random
  readonly clock: Clock
  /** What lies at an address of the web. */
  fetchText(url: string): Promise<string>
  scramCredential(user: string, mechanism: ScramMechanism): ScramCredential | undefined
  /** Of a delegation token that is good now. */
  tokenCredential(tokenId: string, mechanism: ScramMechanism): TokenCredential | undefined
}

type Settings = Readonly<Record<string, string>>
type Config = Values<typeof listenerSecurityConfig>

const PREFIX = "listener.name."
const JAAS = /^[a-z0-9-]+\.sasl\.jaas\.config$/
const NONCE_BYTES = 24
/** What may be set for one listener. */
const SETTINGS_OF_ONE = [listenerSecurityConfig, connectionLimitsConfig]

/** The settings of the broker without those of single listeners. */
export function commonSettings(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !key.startsWith(PREFIX)))
}

/** Throws a ConfigError for a setting of a listener that there is not. */
export function checkListenerNames(settings: Settings, listeners: readonly ListenerSpec[]): void {
  for (const key of Object.keys(settings)) {
    if (!key.startsWith(PREFIX)) continue
    if (!listeners.some(({ name }) => key.startsWith(`${PREFIX}${name.toLowerCase()}.`)))
      throw new ConfigError(key, `config ${key}: there is no listener of this name`)
  }
}

/** Of one listener alone; throws a ConfigError. */
export function listenerLimits(name: string, settings: Settings): Values<typeof connectionLimitsConfig> {
  return parse(connectionLimitsConfig, ownSettings(name, settings)[0], { unknown: "ignore" })
}

/** Throws a ConfigError that names the setting, for what is missing or cannot be read. */
export function listenerSecurity(
  { name, protocol }: ListenerSpec,
  settings: Settings,
  ports: SecurityPorts,
): ListenerSecurity {
  const [own, jaas] = ownSettings(name, settings)
  const config = parse(listenerSecurityConfig, { ...settings, ...own }, { unknown: "ignore" })
  const hasTls = protocol.endsWith("SSL")
  const mapping = principalMapping(config["ssl.principal.mapping.rules"])
  const mechanisms = protocol.startsWith("SASL") ? saslMechanisms(name, config, jaas, ports) : undefined
  const options = mechanisms && { mechanisms, lifetimeMsMax: config["connections.max.reauth.ms"] }
  return {
    ...(hasTls ? serverTls(name, config, ports.disk) : NO_TLS),
    principal: (subject) => (subject === undefined ? ANONYMOUS : userPrincipal(mapping(subject))),
    newAuthentication: () => options && new Authentication(options),
  }
}

function ownSettings(listener: string, settings: Settings): readonly [own: Settings, jaas: Settings] {
  const prefix = `${PREFIX}${listener.toLowerCase()}.`
  const own: Record<string, string> = {}
  const jaas: Record<string, string> = {}
  for (const [key, value] of Object.entries(settings)) {
    if (!key.startsWith(prefix)) continue
    const short = key.slice(prefix.length)
    if (JAAS.test(short)) jaas[short] = value
    else if (SETTINGS_OF_ONE.some((config) => Object.hasOwn(config, short))) own[short] = value
    else throw new ConfigError(key, `config ${key}: ${short} cannot be set for one listener`)
  }
  return [own, jaas]
}

function serverTls(listener: string, config: Config, disk: Disk): Pick<ListenerSecurity, "tls" | "validity"> {
  const { identity, validity, ca } = sslStores(config, (path) => {
    const bytes = disk.readFile(path)
    return bytes && new TextDecoder().decode(bytes)
  })
  if (identity === undefined)
    throw new ConfigError(
      "ssl.keystore.location",
      `config ssl.keystore.location: listener ${listener} needs a certificate`,
    )
  const tls = {
    ...identity,
    clientAuth: config["ssl.client.auth"],
    versions: config["ssl.enabled.protocols"].map((version) => version as TlsVersion),
    ...(ca !== undefined && { ca }),
  }
  return { tls, validity }
}

function saslMechanisms(
  listener: string,
  config: Config,
  jaas: Settings,
  ports: SecurityPorts,
): ReadonlyMap<string, SaslServerFactory> {
  const names = config["sasl.enabled.mechanisms"]
  if (names.length === 0)
    throw new ConfigError("sasl.enabled.mechanisms", `config sasl.enabled.mechanisms: listener ${listener} needs one`)
  const factories = new Map<string, SaslServerFactory>()
  for (const mechanism of names) {
    if (isScramMechanism(mechanism)) {
      factories.set(mechanism, () => {
        const nonce = Buffer.from(ports.random.bytes(NONCE_BYTES)).toString("base64url")
        return new ScramServer({
          ...{ mechanism, nonce },
          credential: (user) => ports.scramCredential(user, mechanism),
          token: (tokenId) => ports.tokenCredential(tokenId, mechanism),
        })
      })
    } else if (mechanism === "OAUTHBEARER") {
      const rules = tokenRules(listener, config, ports)
      factories.set(mechanism, () => new OAuthBearerServer(rules))
    } else {
      const key = "plain.sasl.jaas.config"
      const name = `${PREFIX}${listener.toLowerCase()}.${key}`
      const users = plainUsers(jaasOptions(name, jaas[key] ?? null))
      if (users.size === 0) throw new ConfigError(name, `config ${name} names no users: … required user_alice="…";`)
      factories.set(mechanism, () => new PlainServer(users))
    }
  }
  return factories
}

const FILE = "file:"

function tokenRules(listener: string, config: Config, { disk, clock, fetchText }: SecurityPorts): TokenRules {
  const key = "sasl.oauthbearer.jwks.endpoint.url"
  const url = config[key]
  if (url === null || !/^(?:https?|file):/.test(url))
    throw new ConfigError(key, `config ${key}: listener ${listener} needs the https: or file: URL of the issuer's keys`)
  const keySet = new KeySet({
    refreshMs: config["sasl.oauthbearer.jwks.endpoint.refresh.ms"],
    now: () => clock.now(),
    async read() {
      if (!url.startsWith(FILE)) return fetchText(url)
      const bytes = disk.readFile(decodeURIComponent(new URL(url).pathname))
      if (bytes === undefined) throw new ConfigError(key, `config ${key}: no such file`)
      return new TextDecoder().decode(bytes)
    },
  })
  return {
    keys: (keyId) => keySet.keys(keyId),
    userClaim: config["sasl.oauthbearer.sub.claim.name"],
    issuer: config["sasl.oauthbearer.expected.issuer"],
    audience: config["sasl.oauthbearer.expected.audience"],
    clockSkewMs: config["sasl.oauthbearer.clock.skew.seconds"] * 1000,
    now: () => clock.now(),
  }
}
