/** What is warned of at the start: where others may do more than somebody may have meant. */
import { nodeHost } from "@millrace/host/node"
import { server } from "@millrace/testing/certificates"
import { expect, test } from "vitest"
import type { ListenerSpec } from "../../src/network/listeners.ts"
import { Listeners } from "../../src/security/listeners.ts"
import { start } from "../harness.ts"

const CERTIFICATE = { "ssl.keystore.key": server.key, "ssl.keystore.certificate.chain": server.cert }
const SASL = { "sasl.enabled.mechanisms": "SCRAM-SHA-512" }

function warnings(protocol: ListenerSpec["protocol"], host: string, clientAuth: string, hasRules: boolean): string[] {
  const specs = [{ name: "L", address: { host, port: 9092 }, protocol }]
  const listeners = new Listeners(
    specs,
    { ...CERTIFICATE, ...SASL, "ssl.client.auth": clientAuth },
    {
      ...{ disk: nodeHost.disk, random: nodeHost.random, clock: nodeHost.clock },
      fetchText: () => Promise.reject(new Error("there is no web")),
      scramCredential: () => undefined,
      tokenCredential: () => undefined,
    },
  )
  return listeners.warnings(specs, hasRules)
}

test.each([
  ["PLAINTEXT", "127.0.0.1", "none", false, undefined],
  ["PLAINTEXT", "0.0.0.0", "none", true, "lets in whoever reaches it, unencrypted"],
  ["SASL_PLAINTEXT", "10.0.0.1", "none", true, "sends data, and passwords of PLAIN, unencrypted"],
  ["SSL", "127.0.0.1", "none", false, undefined],
  ["SSL", "::1", "none", false, undefined],
  ["SSL", "0.0.0.0", "none", false, "lets in whoever reaches it, who may do everything"],
  ["SSL", "0.0.0.0", "requested", false, "lets in whoever reaches it, who may do everything"],
  ["SSL", "0.0.0.0", "none", true, undefined],
  ["SSL", "0.0.0.0", "required", false, undefined],
  ["SASL_SSL", "0.0.0.0", "none", false, undefined],
] as const)("%s on %s, client certificates %s, rules %s: %s", (protocol, host, clientAuth, hasRules, warning) => {
  const told = warnings(protocol, host, clientAuth, hasRules)
  expect(told).toEqual(warning === undefined ? [] : [expect.stringContaining(`listener L on ${host}`)])
  if (warning !== undefined) expect(told[0]).toContain(warning)
})

const UNUSED = "super.users is set, but everybody may do everything: see authorizer.class.name"

test("super users without rules are warned of", async () => {
  expect((await start({ "super.users": "User:admin" })).messages).toContain(UNUSED)
  const guarded = await start({ "super.users": "User:admin", "authorizer.class.name": "rules" })
  expect(guarded.messages).not.toContain(UNUSED)
})
