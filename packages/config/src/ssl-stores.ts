/**
 * The certificates, keys and authorities that Kafka's `ssl.*` settings name, of brokers and of clients. Everything is looked
 * at when it is read: what is missing, cannot be opened or does not belong together is told with the setting, the file and
 * what to do, before a library would refuse it with a code.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import { resolve } from "node:path"
import { ConfigError } from "./parse.ts"

/** The settings as either table has them. */
export interface SslSettings {
  readonly "ssl.keystore.location": string | null
  readonly "ssl.keystore.key": string | null
  readonly "ssl.keystore.certificate.chain": string | null
  readonly "ssl.key.password": string | null
  readonly "ssl.truststore.location": string | null
  readonly "ssl.truststore.certificates": string | null
}

export interface SslStores {
  /** The private key and the certificates with the key's own first, as PEM. */
  readonly identity?: { readonly key: string; readonly cert: string; readonly passphrase?: string }
  /** Of the identity's own certificate; wall-clock times. */
  readonly validity?: CertificateValidity
  /** Trusted authorities, as PEM. */
  readonly ca?: string
}

export interface CertificateValidity {
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** PEM, and how an error names where it is from. */
interface Source {
  readonly key: keyof SslSettings
  /** The setting, and the file where there is one. */
  readonly named: string
  readonly text: string
}

const CERTIFICATES = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/gs
const PRIVATE_KEY = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----/s
/** What text never has, and stores in PKCS12 or JKS always. */
const BINARY = /[\0\uFFFD]/

const COMMAND = "openssl pkcs12 -in store.p12 -out store.pem -nodes"

/** Throws a ConfigError. `readFile` answers a file's text, undefined where there is none, or throws. */
export function sslStores(config: SslSettings, readFile: (path: string) => string | undefined): SslStores {
  const store = fromFile("ssl.keystore.location", config, readFile)
  const key = fromText("ssl.keystore.key", config) ?? store
  const cert = fromText("ssl.keystore.certificate.chain", config) ?? store
  const ca = fromText("ssl.truststore.certificates", config) ?? fromFile("ssl.truststore.location", config, readFile)
  if (ca) certificatesOf(ca)
  const trust = ca && { ca: ca.text }
  if (key === undefined && cert === undefined) return { ...trust }
  if (key === undefined) throw refusal(cert!, "there is no private key: set ssl.keystore.key")
  if (cert === undefined) throw refusal(key, "there is no certificate: set ssl.keystore.certificate.chain")
  const passphrase = config["ssl.key.password"]
  const chain = certificatesOf(cert)
  const privateKey = privateKeyOf(key, passphrase)
  const leaf = chain[0]!
  if (!leaf.checkPrivateKey(privateKey)) {
    const isLater = chain.some((other) => other.checkPrivateKey(privateKey))
    const reason = isLater
      ? "its certificates are out of order: the one that the key belongs to comes first"
      : "its key does not fit its certificate"
    throw refusal(cert, key === cert || isLater ? reason : "the key does not fit the certificate")
  }
  return {
    ...trust,
    identity: { key: key.text, cert: cert.text, ...(passphrase !== null && { passphrase }) },
    validity: { notBeforeMs: leaf.validFromDate.getTime(), notAfterMs: leaf.validToDate.getTime() },
  }
}

function fromText(
  key: "ssl.keystore.key" | "ssl.keystore.certificate.chain" | "ssl.truststore.certificates",
  config: SslSettings,
): Source | undefined {
  const text = config[key]
  return text === null ? undefined : { key, named: key, text }
}

function fromFile(
  key: "ssl.keystore.location" | "ssl.truststore.location",
  config: SslSettings,
  readFile: (path: string) => string | undefined,
): Source | undefined {
  const path = config[key]
  if (path === null) return undefined
  // A relative path begins where the process runs, as Kafka's do: which file was meant shows in full.
  const absolute = resolve(path)
  const unreadable = (reason: string) => new ConfigError(key, `config ${key}: cannot read ${absolute}: ${reason}`)
  let text: string | undefined
  try {
    text = readFile(path)
  } catch (cause) {
    throw unreadable(explained(cause))
  }
  if (text === undefined) throw unreadable("no such file")
  return { key, named: `${key}: ${absolute}`, text }
}

function explained(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file"
    case "EACCES":
    case "EPERM":
      return "permission denied"
    case "EISDIR":
      return "it is a directory"
    default:
      return cause.message
  }
}

function certificatesOf(source: Source): X509Certificate[] {
  const blocks = source.text.match(CERTIFICATES)
  if (blocks === null) throw missing(source, "certificate")
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw refusal(
        source,
        blocks.length === 1 ? "its certificate is damaged" : `its certificate ${index + 1} is damaged`,
      )
    }
  })
}

function privateKeyOf(source: Source, passphrase: string | null): KeyObject {
  const [block, label] = PRIVATE_KEY.exec(source.text) ?? []
  if (block === undefined) throw missing(source, "private key")
  const isEncrypted = label === "ENCRYPTED " || block.includes("Proc-Type: 4,ENCRYPTED")
  if (isEncrypted && passphrase === null) throw refusal(source, "its key is encrypted: set ssl.key.password")
  try {
    return createPrivateKey({ key: block, ...(isEncrypted && { passphrase: passphrase! }) })
  } catch {
    throw refusal(source, isEncrypted ? "the password of ssl.key.password does not open its key" : "its key is damaged")
  }
}

function missing(source: Source, what: string): ConfigError {
  if (BINARY.test(source.text)) return refusal(source, `is no PEM file; of a PKCS12 store, \`${COMMAND}\` makes one`)
  return refusal(source, `holds no ${what} in PEM`)
}

/** A reason that begins with a verb goes on from the name of what it is about. */
function refusal({ key, named }: Source, reason: string): ConfigError {
  const isVerb = /^(?:holds|is) /.test(reason)
  return new ConfigError(key, `config ${named}${isVerb ? " " : ": "}${reason}`)
}
