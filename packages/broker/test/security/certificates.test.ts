/** Certificates that are replaced while the broker runs, and those that are out of their time. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { nodeHost } from "@millrace/host/node"
import { prometheusText } from "@millrace/metrics"
import { client, server } from "@millrace/testing/certificates"
import { expect, test } from "vitest"
import { BROKER_METRICS } from "../../src/metrics/table.ts"
import { CertificateExpiry } from "../../src/security/certificate-expiry.ts"
import { Listeners } from "../../src/security/listeners.ts"
import { start, temporaryDirectory } from "../harness.ts"

const SSL = { name: "SSL", address: { host: "broker", port: 9093 }, protocol: "SSL" } as const
const OTHER = { ...SSL, name: "OTHER", address: { host: "broker", port: 9094 } } as const

function listening() {
  const directory = temporaryDirectory()
  const file = join(directory, "server.pem")
  const other = join(directory, "other.pem")
  for (const path of [file, other]) writeFileSync(path, server.key + server.cert)
  const settings = { "ssl.keystore.location": file, "listener.name.other.ssl.keystore.location": other }
  const listeners = new Listeners([SSL, OTHER], settings, {
    ...{ disk: nodeHost.disk, random: nodeHost.random, clock: nodeHost.clock },
    fetchText: () => Promise.reject(new Error("there is no web")),
    scramCredential: () => undefined,
    tokenCredential: () => undefined,
  })
  return { file, other, listeners }
}

test("a bad file leaves the old certificate in use and is told of once, whatever the other listeners' are like", () => {
  const { file, other, listeners } = listening()
  expect(listeners.reload()).toEqual({ renewed: [], failed: [] })
  writeFileSync(file, "junk")
  writeFileSync(other, client.key + client.cert)
  const reason = `config ssl.keystore.location: ${file} holds no certificate in PEM`
  expect(listeners.reload()).toEqual({ renewed: ["OTHER"], failed: [{ listener: "SSL", reason }] })
  expect(listeners.security("SSL").tls!.cert).toBe(server.key + server.cert)
  expect(listeners.reload()).toEqual({ renewed: [], failed: [] })
  writeFileSync(file, client.key + client.cert)
  expect(listeners.reload()).toEqual({ renewed: ["SSL"], failed: [] })
  writeFileSync(file, "junk")
  expect(listeners.reload().failed).toHaveLength(1)
})

const DAY_MS = 86_400_000
const VALIDITY = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2026, 11, 31) }

test.each([
  [VALIDITY.notBeforeMs - 1, "is good from 2026-01-01T00:00:00Z on: clients refuse it until then"],
  [VALIDITY.notBeforeMs, undefined],
  [VALIDITY.notAfterMs - 31 * DAY_MS, undefined],
  [VALIDITY.notAfterMs - 30 * DAY_MS, "expires on 2026-12-31T00:00:00Z, in 30 days"],
  [VALIDITY.notAfterMs - DAY_MS, "expires on 2026-12-31T00:00:00Z, in 1 day"],
  [VALIDITY.notAfterMs + 1, "has expired on 2026-12-31T00:00:00Z: clients refuse it"],
])("at %d the certificate %s", (now, warning) => {
  const told = warning && `the certificate of listener SSL ${warning}`
  expect(new CertificateExpiry().warning("SSL", VALIDITY, now)).toBe(told)
})

test("what is told of a certificate is told once, and again when it gets worse or another is as bad", () => {
  const expiry = new CertificateExpiry()
  const said = (now: number, validity = VALIDITY) => expiry.warning("SSL", validity, now) !== undefined
  const soon = VALIDITY.notAfterMs - 20 * DAY_MS
  expect([said(soon - 20 * DAY_MS), said(soon), said(soon + DAY_MS)]).toEqual([false, true, false])
  expect([said(VALIDITY.notAfterMs + 1), said(VALIDITY.notAfterMs + 2)]).toEqual([true, false])
  expect(said(VALIDITY.notAfterMs + 2, { ...VALIDITY })).toBe(true)
})

test("when a listener's certificate expires is among the metrics", async () => {
  const { broker } = await start({
    listeners: "SSL://broker:9092,PLAINTEXT://broker:9091",
    "ssl.keystore.key": server.key,
    "ssl.keystore.certificate.chain": server.cert,
  })
  const text = prometheusText(BROKER_METRICS, [{ labels: {}, source: await broker.metrics() }])
  expect(text.match(/^millrace_broker_certificate_expiry.*\}.*$/gm)).toEqual([
    `millrace_broker_certificate_expiry_timestamp_seconds{listener="SSL"} ${Date.UTC(2126, 10, 4, 16, 10, 18) / 1_000}`,
  ])
})
