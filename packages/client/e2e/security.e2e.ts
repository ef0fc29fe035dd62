/**
 * TLS and SASL against the listeners of MILLRACE_TEST_SECURE_BROKERS, which `npm run test:kafka` opens on the Apache Kafka that
 * it starts. Its authentications end after a second, so that each of these outlives some.
 */
import { nodeHost } from "@millrace/host/node"
import { authority, client as certificate } from "@millrace/testing/certificates"
import { afterAll, describe, expect, test } from "vitest"
import { type ClientSecurity, KafkaClient } from "../src/index.ts"
import { bytes, fresh, newClient, newTopic, pollUntil } from "./cluster.ts"

const listeners = JSON.parse(process.env["MILLRACE_TEST_SECURE_BROKERS"] ?? "{}") as Record<string, string>
const tls = { ca: authority, checksHost: true }
/** How long one authentication is good for there, times some. */
const LIFETIMES_MS = 2_500

const admin = newClient()
afterAll(() => admin.close())

async function connected<T>(listener: string, security: ClientSecurity, use: (client: KafkaClient) => Promise<T>) {
  const client = new KafkaClient({ host: nodeHost, brokers: listeners[listener]!, security, clientId: "secure" })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/** Sends until some authentications have ended, and reads all of it back. */
async function sendAndRead(client: KafkaClient): Promise<void> {
  const topic = await newTopic(admin)
  const producer = client.producer()
  const until = performance.now() + LIFETIMES_MS
  const sent: string[] = []
  while (performance.now() < until) {
    sent.push(String(sent.length))
    await producer.send({ topic, key: null, value: bytes(sent.at(-1)!) })
  }
  await producer.close()
  const consumer = client.consumer({ autoOffsetReset: "earliest" })
  consumer.assign([{ topic, partition: 0 }])
  const seen = await pollUntil(consumer, (records) => records.length >= sent.length)
  expect(seen.map(({ value }) => value)).toEqual(sent)
  await consumer.close()
}

describe.skipIf(Object.keys(listeners).length === 0)("security", () => {
  test("TLS with certificates on both sides", () =>
    connected("SSL", { tls: { ...tls, identity: certificate } }, sendAndRead))

  test("PLAIN over TLS, longer than an authentication lasts", () =>
    connected("SASL_SSL", { tls, sasl: { mechanism: "PLAIN", username: "alice", password: "secret" } }, sendAndRead))

  test("SCRAM over TLS, with users that this client made", async () => {
    const user = fresh("user")
    const mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const
    const users = admin.admin()
    await users.alterScramCredentials(mechanisms.map((mechanism) => ({ user, mechanism, password: "pw" })))
    await expect.poll(() => users.describeScramCredentials([user])).toHaveLength(1)
    for (const mechanism of mechanisms)
      await connected("SASL_SSL", { tls, sasl: { mechanism, username: user, password: "pw" } }, sendAndRead)
    const wrong = { tls, sasl: { mechanism: mechanisms[0], username: user, password: "no" } }
    const attempt = connected("SASL_SSL", wrong, (client) => client.admin().listTopics())
    await expect(attempt).rejects.toThrow("invalid credentials with SASL mechanism SCRAM-SHA-256")
    await users.alterScramCredentials(
      [],
      mechanisms.map((mechanism) => ({ user, mechanism })),
    )
    await expect.poll(() => users.describeScramCredentials([user])).toHaveLength(0)
  })
})
