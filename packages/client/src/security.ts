/**
 * A client's security from Kafka's own settings: the file that Java's tools take with `--command-config` works here too, where
 * its stores are PEM. Apart from the client itself, which needs no settings by name.
 */
import type { ClientTls } from "@millrace/host"
import {
  ConfigError,
  define,
  jaasOptions,
  nearestKey,
  oneOf,
  parse,
  password,
  string,
  unknownKey,
  type Values,
} from "@millrace/config"
import { sslStores } from "@millrace/config/ssl-stores"
import { isScramMechanism } from "@millrace/protocol/sasl/scram"
import type { ClientSecurity } from "./security/options.ts"
import type { SaslOptions } from "./security/sasl.ts"

export const securityConfig = define({
  "security.protocol": oneOf(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], {
    default: "PLAINTEXT",
    doc: "Whether connections are encrypted (SSL), authenticated (SASL), or both.",
  }),
  "sasl.mechanism": oneOf(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"], {
    default: null,
    doc: "How the client authenticates.",
  }),
  "sasl.username": string({ default: null, doc: "The user, where sasl.jaas.config does not name one." }),
  "sasl.password": password({ default: null, doc: "The user's password." }),
  "sasl.jaas.config": password({
    default: null,
    doc: 'User and password as Java writes them: `… required username="alice" password="…";`.',
  }),
  "sasl.oauthbearer.token": password({ default: null, doc: "A token that stays good for as long as the client runs." }),
  "ssl.truststore.type": oneOf(["PEM"], { default: "PEM", doc: "The form of the trusted certificates." }),
  "ssl.truststore.location": string({
    default: null,
    doc: "A PEM file of trusted authorities; a relative path begins where the client runs. Default: the machine's.",
  }),
  "ssl.truststore.certificates": string({ default: null, doc: "The trusted authorities themselves, as PEM." }),
  "ssl.keystore.type": oneOf(["PEM"], { default: "PEM", doc: "The form of the client's own certificate." }),
  "ssl.keystore.location": string({
    default: null,
    doc: "A PEM file with the client's private key and certificates; a relative path begins where the client runs.",
  }),
  "ssl.keystore.key": password({ default: null, doc: "The client's private key itself, as PEM." }),
  "ssl.keystore.certificate.chain": string({ default: null, doc: "The client's certificates themselves, as PEM." }),
  "ssl.key.password": password({ default: null, doc: "Of an encrypted private key." }),
  "ssl.endpoint.identification.algorithm": oneOf(["https", ""], {
    default: "https",
    doc: "Empty: the broker's certificate may be for another host.",
  }),
})

/** Settings of Kafka's clients that read much like one of these, and that Java's own TLS and logins have alone. */
const OF_JAVA =
  /^(sasl\.(login|kerberos|oauthbearer|jaas|client)\.|ssl\.(protocol|provider|engine|cipher|enabled|keymanager|trustmanager|secure|keystore\.password|truststore\.password)|security\.providers)/

/** Throws a ConfigError for a name that is likely a slip of one of ours; others are of other clients, and passed by. */
export function checkNames(settings: Readonly<Record<string, string>>): void {
  const known = Object.keys(securityConfig)
  for (const key of Object.keys(settings)) {
    if (Object.hasOwn(securityConfig, key) || OF_JAVA.test(key)) continue
    if (nearestKey(known, key) !== undefined) throw unknownKey(securityConfig, key)
  }
}

/** Throws a ConfigError that names the setting. `readFile` answers the text of a file, or throws. */
export function clientSecurity(
  settings: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): ClientSecurity {
  const config = parse(securityConfig, settings, { unknown: "ignore" })
  const protocol = config["security.protocol"]
  const hasTls = protocol.endsWith("SSL")
  const { identity, ca } = hasTls ? sslStores(config, readFile) : {}
  const tls: ClientTls = {
    checksHost: config["ssl.endpoint.identification.algorithm"] === "https",
    ...(ca !== undefined && { ca }),
    ...(identity && { identity }),
  }
  return {
    ...(hasTls && { tls }),
    ...(protocol.startsWith("SASL") && { sasl: saslOptions(config) }),
  }
}

type SecurityConfig = Values<typeof securityConfig>

function saslOptions(config: SecurityConfig): SaslOptions {
  const mechanism = config["sasl.mechanism"]
  if (mechanism === null)
    throw new ConfigError("sasl.mechanism", `config sasl.mechanism: ${config["security.protocol"]} needs one`)
  const jaas = jaasOptions("sasl.jaas.config", config["sasl.jaas.config"])
  if (mechanism === "OAUTHBEARER") {
    const token = config["sasl.oauthbearer.token"]
    if (token === null)
      throw new ConfigError("sasl.oauthbearer.token", "config sasl.oauthbearer.token: OAUTHBEARER needs a token")
    return { mechanism, token: () => token }
  }
  const username = config["sasl.username"] ?? jaas.get("username")
  const secret = config["sasl.password"] ?? jaas.get("password")
  if (username === undefined || secret === undefined)
    throw new ConfigError(
      "sasl.jaas.config",
      `config sasl.jaas.config: ${mechanism} needs a username and a password (or sasl.username and sasl.password)`,
    )
  if (!isScramMechanism(mechanism)) return { mechanism: "PLAIN", username, password: secret }
  return { mechanism, username, password: secret, tokenAuth: jaas.get("tokenauth")?.toLowerCase() === "true" }
}
