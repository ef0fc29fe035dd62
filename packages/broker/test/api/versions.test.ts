import { RequestSkeleton } from "../request-skeleton.ts"
import { type Api, ErrorCode } from "@millrace/protocol"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { describe, expect, test } from "vitest"
import { allApis } from "../../src/api/all.ts"
import { advertisedRanges } from "../../src/api/registry.ts"
import { denyAll } from "@millrace/broker"
import { start } from "../harness.ts"

const registry = allApis()
const every = [...registry.handlers.values()].flatMap(({ api }) => {
  const { maxVersion } = advertisedRanges(registry).find(({ apiKey }) => apiKey === api.key)!
  return Array.from(
    { length: maxVersion - api.minVersion + 1 },
    (_, index) => [api as unknown as Api, api.minVersion + index] as const,
  )
})

/** Error codes anywhere in a decoded response. */
function errorsIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorsIn)
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === "number" && /errorcode$/i.test(name) ? [inner] : errorsIn(inner),
  )
}

describe("every API in every version it advertises", () => {
  test("answers a minimal request with a response that its schema reads, about a topic that is there and one that is not", async () => {
    const started = await start()
    const admin = await started.client()
    for (const topic of ["known", "unknown"]) {
      for (const [api, version] of every) {
        if (topic === "known") await admin.createTopic("known").catch(() => {})
        const client = await started.client()
        const body = new RequestSkeleton(topic, await admin.topicId("known")).of(api, version)
        const response = await client.try(api, version, body)
        expect(started.defects, `${api.name} v${version}`).toEqual([])
        expect(response, `${api.name} v${version}: ${started.messages.at(-1)}`).toBeDefined()
        client.destroy()
      }
    }
  })

  test("is refused, without a trace of what it asked about, to a client that may do nothing", async () => {
    const started = await start({}, { authorizer: denyAll })
    // Asked before anyone can be known, or harmless by Kafka's own rule.
    const open = new Set(["ApiVersions", "DescribeCluster", "ListGroups", "ListTransactions"])
    // On a listener without SASL out of turn, for everybody.
    const ofSasl = new Set(["SaslHandshake", "SaslAuthenticate"])
    // There nobody may ask for tokens.
    const ofTokens = /^(Create|Renew|Expire|Describe)DelegationToken$/
    const authorizationErrors = new Set([29, 30, 31, 53])
    for (const [api, version] of every) {
      const client = await started.client()
      const body = new RequestSkeleton("secret", "AAAAAAAAAAAAAAAAAAAAAA").of(api, version)
      const response = await client.try(api, version, body)
      const errors = errorsIn(response).filter((code) => code !== 0)
      const handler = registry.handlers.get(api.key)!
      // Before it could carry an error, an empty answer was the refusal.
      const silent = api.name === "DescribeLogDirs" && version < 3
      if (open.has(api.name) || silent) {
        expect(errors, `${api.name} v${version}`).toEqual([])
      } else if (ofSasl.has(api.name)) {
        expect(errors, api.name).toEqual([ErrorCode.ILLEGAL_SASL_STATE])
      } else if (ofTokens.test(api.name)) {
        expect(errors, api.name).toEqual([ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED])
      } else {
        expect(handler.permissions.length, api.name).toBeGreaterThan(0)
        expect(errors.length, `${api.name} v${version}`).toBeGreaterThan(0)
        // A topic id that nobody knows is told as such: it names nothing.
        for (const error of errors) expect([...authorizationErrors, 100], `${api.name} v${version}`).toContain(error)
      }
      client.destroy()
    }
    expect(started.defects).toEqual([])
  })

  test("Produce is advertised from 0 (KAFKA-18659), two-phase commit is not", async () => {
    const client = await (await start()).client()
    const { apiKeys } = await client.send(ApiVersions, 3, { clientSoftwareName: "t", clientSoftwareVersion: "1" })
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toMatchObject({ minVersion: 0, maxVersion: 13 })
    expect(apiKeys.find(({ apiKey }) => apiKey === 22)).toMatchObject({ minVersion: 0, maxVersion: 5 })
    expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual([...apiKeys].map(({ apiKey }) => apiKey).sort((a, b) => a - b))
  })
})
