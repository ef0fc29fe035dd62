/**
 * The client that everyday commands use: connects, runs one action, closes.
 */
import { readFileSync } from "node:fs"
import { type ClientSecurity, KafkaClient, TimeoutError } from "@millrace/client"
import { NetError, parseAddress } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { Failure, UsageError } from "./command.ts"

/** How long a cluster may take to answer before a command gives up. */
export const REACH_TIMEOUT_MS = 10_000
/** How long addresses where nobody listens, or that nobody knows, are tried: a broker that was just started heals that. */
const REFUSED_TIMEOUT_MS = 2_000
/** After which a terminal says what is being waited for. */
const SILENCE_MS = 500
const REMEDY = "start one, or name others with --brokers"

export const commandConfigOption = {
  value: "FILE",
  help: "a properties file that says how to connect, such as security.protocol and sasl.jaas.config: Kafka's own",
} as const

/** The options that every such command has. */
export const clusterOptions = {
  brokers: { value: "HOST:PORT[,…]", help: "brokers to connect to", default: "127.0.0.1:9092" },
  "command-config": commandConfigOption,
} as const

interface ClusterOptions {
  readonly brokers: string
  readonly "command-config": string | undefined
}

export const registryOption = {
  value: "URL",
  help: "a schema registry: keys and values with a schema, Avro or JSON Schema, are shown and read as JSON",
} as const

export const jsonValuesOption = {
  help: "with --json: values are JSON, and stand in the line as such rather than as text",
} as const

export const jsonOption = { help: "print JSON for machines" } as const

/** Refuses what is no list of addresses; answers it otherwise. */
export function checkBrokers(brokers: string): string {
  for (const one of brokers.split(",")) {
    if (parseAddress(one) === undefined) {
      throw new UsageError(`--brokers ${brokers}: expected HOST:PORT, several separated by commas`)
    }
  }
  return brokers
}

/** What `--command-config` says of TLS and SASL. Relative paths in it begin where the command runs, as Kafka's do. */
export async function securityOption(file: string | undefined): Promise<ClientSecurity> {
  if (file === undefined) return {}
  const [{ checkNames, clientSecurity }, { ConfigError, parseProperties }] = await Promise.all([
    import("@millrace/client/security"),
    import("@millrace/config"),
  ])
  const read = (path: string) => readFileSync(path, "utf8")
  let text: string
  try {
    text = read(file)
  } catch (cause) {
    throw new Failure(`--command-config ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  try {
    const given = parseProperties(text, file)
    checkNames(given)
    return clientSecurity(given, read)
  } catch (cause) {
    if (cause instanceof ConfigError) throw new Failure(`--command-config ${file}: ${cause.message}`, { cause })
    throw cause
  }
}

/** `remedy`: what to do where nobody answers. */
export async function withClient<T>(
  cluster: ClusterOptions,
  action: (client: KafkaClient) => Promise<T>,
  remedy = REMEDY,
): Promise<T> {
  const brokers = checkBrokers(cluster.brokers)
  const security = await securityOption(cluster["command-config"])
  await reachable(brokers, clientOf(brokers, security, REFUSED_TIMEOUT_MS), remedy)
  const client = clientOf(brokers, security, REACH_TIMEOUT_MS)
  try {
    return await action(client)
  } catch (error) {
    if (isUnreachable(error)) throw new Failure(unreachable(brokers, error, remedy), { cause: error })
    throw error
  } finally {
    await client.close()
  }
}

/** Fails with one line when no broker answers: before a server starts that would try for much longer. */
export async function reach({ brokers, "command-config": file }: ClusterOptions): Promise<void> {
  await reachable(checkBrokers(brokers), clientOf(brokers, await securityOption(file), REFUSED_TIMEOUT_MS))
}

/** A fault is tried again for `faultTimeoutMs`; an answer may take longer. */
export const clientOf = (brokers: string, security: ClientSecurity, faultTimeoutMs: number): KafkaClient =>
  new KafkaClient({
    host: nodeHost,
    brokers,
    security,
    clientId: "millrace-cli",
    defaultApiTimeoutMs: faultTimeoutMs,
    requestTimeoutMs: REACH_TIMEOUT_MS,
    connectTimeoutMs: REACH_TIMEOUT_MS,
  })

async function reachable(brokers: string, client: KafkaClient, remedy = REMEDY): Promise<void> {
  const slow = setTimeout(() => {
    if (process.stderr.isTTY) console.error(`trying ${brokers} …`)
  }, SILENCE_MS)
  try {
    await client.admin().describeCluster()
  } catch (error) {
    if (isUnreachable(error)) throw new Failure(unreachable(brokers, error, remedy), { cause: error })
    throw error
  } finally {
    clearTimeout(slow)
    await client.close()
  }
}

export const isUnreachable = (error: unknown): error is Error =>
  error instanceof NetError || (error instanceof TimeoutError && error.cause instanceof NetError)

const unreachable = (brokers: string, error: Error, remedy: string): string =>
  `${unanswered(brokers, error)}; ${remedyOf(error) ?? remedy}`

/** What to do where somebody listens, and the two do not understand each other. */
function remedyOf(error: Error): string | undefined {
  const fault = error instanceof NetError ? error : error.cause
  return fault instanceof NetError ? REMEDIES[fault.code] : undefined
}

const NAME_AUTHORITY = "name the authority that signed it by ssl.truststore.location in a file for --command-config"
const NO_TLS = "leave security.protocol out of the --command-config file, or name the port that speaks TLS"
const REMEDIES: Readonly<Record<string, string>> = {
  DISCONNECTED: "if it wants TLS or SASL, say so by security.protocol in a file for --command-config",
  ECONNRESET: "if it wants TLS or SASL, say so by security.protocol in a file for --command-config",
  PROTOCOL: "name a broker's port with --brokers",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NAME_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: NAME_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: NAME_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NAME_AUTHORITY,
  CERT_HAS_EXPIRED: "the broker needs a new one: ssl.keystore.location in its settings",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "name the broker as its certificate does, or set ssl.endpoint.identification.algorithm= in the --command-config file",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
}

export function unanswered(brokers: string, error: Error): string {
  const fault = error instanceof NetError ? error : error.cause
  const reason = fault instanceof NetError ? (REASONS[fault.code] ?? fault.message) : error.message
  return `no broker answers at ${brokers}: ${reason}`
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name cannot be looked up",
  ETIMEDOUT: "no answer in time",
}
