import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { apiKeys, apiOfKey, NO_FLEXIBLE_VERSION } from "../src/api-keys.ts"
import { ProtocolError } from "../src/bytes/fault.ts"
import {
  correlationIdOf,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  requestHeaderVersion,
  responseHeaderVersion,
} from "../src/header.ts"
import { ApiVersions } from "../src/messages/api-versions.ts"
import { Fetch } from "../src/messages/fetch.ts"
import { RequestHeader } from "../src/messages/headers.ts"
import { apis } from "../src/messages/index.ts"
import { Produce } from "../src/messages/produce.ts"
import { encode } from "../src/schema/codec.ts"
import { allVersions, completeValue } from "./arbitrary.ts"

const requestVersions = [...apis.values()].flatMap((api) =>
  allVersions.filter(([, , message]) => message === api.request).map(([, version]) => ({ api, version })),
)

function frameOf(chunks: Uint8Array[]): Buffer {
  const whole = Buffer.concat(chunks)
  expect(whole.readInt32BE(0)).toBe(whole.length - 4)
  return whole.subarray(4)
}

describe("the table of API keys", () => {
  it("is the table of messages", () => {
    expect([...apis.keys()].sort((a, b) => a - b)).toEqual(Object.values(apiKeys).map((range) => range.key))
    for (const api of apis.values()) {
      expect(apiOfKey(api.key)).toMatchObject({
        name: api.name,
        min: api.minVersion,
        max: api.maxVersion,
        flexibleFrom: api.flexibleFrom,
      })
    }
  })

  it("has every key from 0 to 94 but those that Kafka 4.0 removed", () => {
    const missing = Array.from({ length: 95 }, (_, key) => key).filter((key) => !apis.has(key))
    expect(missing).toEqual([4, 5, 6, 7])
  })

  it("knows no flexible version of SaslHandshake and OffsetDelete", () => {
    const never = [...apis.values()].filter((api) => api.flexibleFrom === NO_FLEXIBLE_VERSION)
    expect(never.map((api) => api.name)).toEqual(["SaslHandshake", "OffsetDelete"])
  })
})

describe("headers", () => {
  it.each([
    [Produce, 8, 1, 0],
    [Produce, 9, 2, 1],
    [ApiVersions, 2, 1, 0],
    [ApiVersions, 3, 2, 0],
    [ApiVersions, 5, 2, 0],
  ])("$name v%i", (api, version, request, response) => {
    expect([requestHeaderVersion(api, version), responseHeaderVersion(api, version)]).toEqual([request, response])
  })

  it("of requests and responses round trip in every version", () => {
    const any = fc.constantFrom(...requestVersions).chain(({ api, version }) =>
      fc.record({
        api: fc.constant(api),
        version: fc.constant(version),
        request: completeValue(api.request, version),
        response: completeValue(api.response, version),
        correlationId: fc.integer(),
        clientId: fc.option(fc.string({ maxLength: 20 })),
      }),
    )
    fc.assert(
      fc.property(any, ({ api, version, request, response, correlationId, clientId }) => {
        const frame = frameOf(encodeRequest(api, version, { correlationId, clientId }, request))
        const { header, body } = decodeRequest(api, frame)
        expect(header).toMatchObject({ apiKey: api.key, apiVersion: version, correlationId, clientId })
        expect(body).toEqual(request)

        const fields = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
        const byTable = encode(RequestHeader, requestHeaderVersion(api, version), fields)
        expect(frame.subarray(0, header.bodyOffset)).toEqual(byTable)

        const answer = frameOf(encodeResponse(api, version, correlationId, response))
        expect(correlationIdOf(answer)).toBe(correlationId)
        expect(decodeResponse(api, version, answer)).toEqual({ correlationId, body: response })
      }),
      { numRuns: 300 },
    )
  })

  it("of an unknown key is read, so that it can be refused", () => {
    const frame = Buffer.from("00c8000300000007000163", "hex")
    expect(decodeRequestHeader(frame)).toEqual({
      apiKey: 200,
      apiVersion: 3,
      correlationId: 7,
      clientId: "c",
      bodyOffset: 11,
    })
  })

  it("of an ApiVersions request of a later Kafka is read as flexible", () => {
    const frame = Buffer.from("001200630000000700016300", "hex")
    expect(decodeRequestHeader(frame)).toMatchObject({ apiVersion: 99, correlationId: 7, bodyOffset: 12 })
  })

  it.each(["", "0012", "0012000300000007", "00120003000000070005"])("refuses %j", (hex) => {
    expect(() => decodeRequestHeader(Buffer.from(hex, "hex"))).toThrow(ProtocolError)
    expect(() => correlationIdOf(Buffer.from(hex.slice(0, 6), "hex"))).toThrow(ProtocolError)
  })
})

describe("large records", () => {
  const records = Buffer.alloc(5000, 7)
  const body = {
    acks: -1,
    timeoutMs: 1000,
    topicData: [
      {
        name: "a",
        partitionData: [
          { index: 0, records },
          { index: 1, records: Buffer.from([1]) },
        ],
      },
      {
        name: "b",
        partitionData: [
          { index: 0, records: null },
          { index: 1, records },
        ],
      },
    ],
  }

  it.each([3, 9])("travel uncopied as chunks of their own (v%i)", (version) => {
    const chunks = encodeRequest(Produce, version, { correlationId: 1, clientId: null }, body)
    expect(chunks.filter((chunk) => chunk === records)).toHaveLength(2)
    const { body: decoded } = decodeRequest(Produce, frameOf(chunks))
    expect(decoded).toMatchObject(body)
  })

  it("end a response too", () => {
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1, abortedTransactions: null, records }
    const value = { sessionId: 0, responses: [{ topic: "t", partitions: [partition] }] }
    const chunks = encodeResponse(Fetch, 11, 3, value)
    expect(chunks).toHaveLength(2)
    expect(decodeResponse(Fetch, 11, frameOf(chunks)).body).toMatchObject(value)
  })
})
