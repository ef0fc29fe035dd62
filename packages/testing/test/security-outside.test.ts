/** What a running broker takes in from outside: a certificate that is replaced, and tokens of an issuer. */
import { generateKeyPairSync, sign } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { type ClientSecurity, KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { expect, onTestFinished, test } from "vitest"
import { authority, server, stranger } from "../src/certificates.ts"
import { embeddedBroker } from "../src/index.ts"

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "millrace-security-"))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function listTopics(brokers: string, security: ClientSecurity): Promise<string[]> {
  const client = new KafkaClient({ host: nodeHost, brokers, security, defaultApiTimeoutMs: 500 })
  try {
    return await client.admin().listTopics()
  } finally {
    await client.close()
  }
}

test("a certificate that is replaced is shown to new connections", async () => {
  const store = join(directory(), "server.pem")
  writeFileSync(store, stranger.key + stranger.cert)
  const broker = await embeddedBroker({
    config: { listeners: "SSL://127.0.0.1:0", "ssl.keystore.location": store },
  })
  onTestFinished(() => broker.close())
  const trusting = { tls: { ca: authority, checksHost: true } }
  await expect(listTopics(broker.brokers, trusting)).rejects.toThrow()
  writeFileSync(store, server.key + server.cert)
  await expect.poll(() => listTopics(broker.brokers, trusting).catch(() => "refused"), { timeout: 40_000 }).toEqual([])
})

test("OAUTHBEARER lets in who has a token of the issuer, and nobody else", async () => {
  const issuer = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const keys = join(directory(), "jwks.json")
  writeFileSync(keys, JSON.stringify({ keys: [{ ...issuer.publicKey.export({ format: "jwk" }), kid: "one" }] }))
  const broker = await embeddedBroker({
    config: {
      listeners: "SASL_PLAINTEXT://127.0.0.1:0",
      "sasl.enabled.mechanisms": "OAUTHBEARER",
      "sasl.oauthbearer.jwks.endpoint.url": pathToFileURL(keys).href,
      "connection.failed.authentication.delay.ms": "0",
    },
  })
  onTestFinished(() => broker.close())
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const token = (exp: number) => {
    const signed = `${part({ alg: "ES256", kid: "one" })}.${part({ sub: "alice", exp })}`
    const key = { key: issuer.privateKey, dsaEncoding: "ieee-p1363" as const }
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`
  }
  const now = nodeHost.clock.now() / 1000
  const bearer = (text: string): ClientSecurity => ({ sasl: { mechanism: "OAUTHBEARER", token: () => text } })
  expect(await listTopics(broker.brokers, bearer(token(now + 600)))).toEqual([])
  for (const bad of [token(now - 600), `${token(now + 600).slice(0, -8)}AAAAAAAA`])
    await expect(listTopics(broker.brokers, bearer(bad))).rejects.toThrow("SASL_AUTHENTICATION_FAILED")
})
