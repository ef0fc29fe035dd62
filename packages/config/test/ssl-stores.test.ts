/** What is wrong with certificates, keys and authorities is told with the setting, the file and what to do. */
import { createPrivateKey } from "node:crypto"
import { resolve } from "node:path"
import { authority, client, server } from "@millrace/testing/certificates"
import { describe, expect, test } from "vitest"
import { ConfigError } from "@millrace/config"
import { type SslSettings, sslStores } from "@millrace/config/ssl-stores"

const encrypted = createPrivateKey(server.key)
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open sesame" })
  .toString()
const withoutMiddle = (pem: string) => pem.replace(/\n.*\n(.*\n-----END)/, "\nAAAA\n$1")

const FILES: Readonly<Record<string, string>> = {
  "server.pem": server.key + server.cert,
  "chain.pem": server.cert + authority + server.key,
  "reversed.pem": server.key + authority + server.cert,
  "junk.pem": "this is no certificate",
  "key.pem": server.key,
  "certificate.pem": server.cert,
  "other.pem": client.key + server.cert,
  "encrypted.pem": encrypted + server.cert,
  "damaged-key.pem": withoutMiddle(server.key) + server.cert,
  "damaged.pem": server.key + withoutMiddle(server.cert),
  "damaged-ca.pem": authority + withoutMiddle(authority),
  "store.p12": new TextDecoder().decode(Buffer.from([0x30, 0x82, 0x0a, 0x11, 0x02, 0x01, 0x03])),
}

const NONE: SslSettings = {
  "ssl.keystore.location": null,
  "ssl.keystore.key": null,
  "ssl.keystore.certificate.chain": null,
  "ssl.key.password": null,
  "ssl.truststore.location": null,
  "ssl.truststore.certificates": null,
}

const readFile = (path: string): string | undefined => {
  if (path === "secret.pem") throw Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" })
  return FILES[path]
}

const read = (settings: Partial<SslSettings>) => sslStores({ ...NONE, ...settings }, readFile)

function refusal(settings: Partial<SslSettings>): string {
  try {
    read(settings)
  } catch (cause) {
    expect(cause).toBeInstanceOf(ConfigError)
    return (cause as ConfigError).message
  }
  throw new Error("it was taken")
}

describe("a keystore", () => {
  test.each([
    ["junk.pem", " holds no certificate in PEM"],
    ["key.pem", " holds no certificate in PEM"],
    ["certificate.pem", " holds no private key in PEM"],
    ["store.p12", " is no PEM file; of a PKCS12 store, `openssl pkcs12 -in store.p12 -out store.pem -nodes` makes one"],
    ["other.pem", ": its key does not fit its certificate"],
    ["reversed.pem", ": its certificates are out of order: the one that the key belongs to comes first"],
    ["encrypted.pem", ": its key is encrypted: set ssl.key.password"],
    ["damaged-key.pem", ": its key is damaged"],
    ["damaged.pem", ": its certificate is damaged"],
  ])("%s is refused:%s", (file, reason) => {
    expect(refusal({ "ssl.keystore.location": file })).toBe(`config ssl.keystore.location: ${resolve(file)}${reason}`)
  })

  test.each([
    ["missing.pem", "no such file"],
    ["secret.pem", "permission denied"],
  ])("%s cannot be read: %s", (file, reason) => {
    const message = refusal({ "ssl.keystore.location": file })
    expect(message).toBe(`config ssl.keystore.location: cannot read ${resolve(file)}: ${reason}`)
  })

  test("an encrypted key takes its password, and no other", () => {
    const settings = { "ssl.keystore.location": "encrypted.pem" }
    expect(refusal({ ...settings, "ssl.key.password": "guess" })).toBe(
      `config ssl.keystore.location: ${resolve("encrypted.pem")}: the password of ssl.key.password does not open its key`,
    )
    const { identity } = read({ ...settings, "ssl.key.password": "open sesame" })
    expect(identity).toEqual({
      ...{ key: FILES["encrypted.pem"], cert: FILES["encrypted.pem"], passphrase: "open sesame" },
    })
  })

  test.each(["server.pem", "chain.pem"])("%s is taken, and says how long it is good", (file) => {
    expect(read({ "ssl.keystore.location": file })).toEqual({
      identity: { key: FILES[file], cert: FILES[file] },
      validity: { notBeforeMs: Date.UTC(2026, 10, 28, 16, 10, 18), notAfterMs: Date.UTC(2126, 10, 4, 16, 10, 18) },
    })
  })
})

test("a key and a certificate in the settings themselves are told by the name of the setting", () => {
  const [key, chain] = ["ssl.keystore.key", "ssl.keystore.certificate.chain"] as const
  expect(read({ [key]: server.key, [chain]: server.cert }).identity).toEqual(server)
  expect(refusal({ [key]: "junk", [chain]: server.cert })).toBe(`config ${key} holds no private key in PEM`)
  expect(refusal({ [key]: server.key, [chain]: "junk" })).toBe(`config ${chain} holds no certificate in PEM`)
  expect(refusal({ [key]: client.key, [chain]: server.cert })).toBe(
    `config ${chain}: the key does not fit the certificate`,
  )
  expect(refusal({ [key]: server.key })).toMatch(`config ${key}: there is no certificate: set ${chain}`)
  expect(refusal({ [chain]: server.cert })).toMatch(`config ${chain}: there is no private key: set ${key}`)
})

test.each([
  ["junk.pem", " holds no certificate in PEM"],
  ["key.pem", " holds no certificate in PEM"],
  ["store.p12", " is no PEM file; of"],
  ["damaged-ca.pem", ": its certificate 2 is damaged"],
])("a truststore %s is refused:%s", (file, reason) => {
  const message = refusal({ "ssl.truststore.location": file })
  expect(message).toContain(`config ssl.truststore.location: ${resolve(file)}${reason}`)
})

test("a truststore needs no keystore", () => {
  expect(read({ "ssl.truststore.location": "certificate.pem" })).toEqual({ ca: server.cert })
  expect(read({})).toEqual({})
})
