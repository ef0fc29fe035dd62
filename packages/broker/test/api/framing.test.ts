import { encodeRequest, ErrorCode } from "@millrace/protocol"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { Fetch } from "@millrace/protocol/messages/fetch"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { Produce } from "@millrace/protocol/messages/produce"
import { decodeResponse, ProtocolError } from "@millrace/protocol"
import { describe, expect, test } from "vitest"
import { allowAll, type Permission } from "../../src/security/authorizer.ts"
import { batch, start } from "../harness.ts"

const software = { clientSoftwareName: "test", clientSoftwareVersion: "1.0" }

function header(key: number, version: number, rest: number[] = []): Uint8Array[] {
  const bytes = Buffer.alloc(4 + 10)
  bytes.writeInt32BE(10 + rest.length)
  bytes.writeInt16BE(key, 4)
  bytes.writeInt16BE(version, 6)
  bytes.writeInt32BE(7, 8)
  bytes.writeInt16BE(-1, 12)
  return [bytes, Buffer.from(rest)]
}

describe("frames", () => {
  test.each([
    [4, 0],
    [999, 0],
    [3, 99],
    [0, 2],
    [22, 6],
    [-1, 0],
  ])("1: api key %i in version %i closes the connection", async (key, version) => {
    const client = await (await start()).client()
    client.write(header(key, version))
    expect(await client.frame()).toBeUndefined()
  })

  test("1, V3: an unknown version of ApiVersions is answered in v0 with the range there is (KIP-511)", async () => {
    const client = await (await start()).client()
    // A version that new has the flexible header, with its empty list of tags.
    client.write(header(18, 99, [0]))
    const { correlationId, body } = decodeResponse(ApiVersions, 0, (await client.frame())!)
    expect(correlationId).toBe(7)
    expect(body).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
    })
    expect(await client.send(ApiVersions, 0, {})).toMatchObject({ errorCode: 0 })
  })

  test("a body that is none closes the connection and leaves the others alone", async () => {
    const started = await start()
    const [bad, good] = [await started.client(), await started.client()]
    bad.write(header(3, 12))
    await bad.whenClosed()
    expect(await good.send(Metadata, 12, { topics: null })).toMatchObject({ controllerId: 1 })
    expect(started.defects).toEqual([])
  })

  test.each([
    ["a value that fits no message ends the request alone", new ProtocolError("Sample", 0, "name", -1, "too long"), []],
    ["anything else ends the broker", new Error("no idea"), [new Error("no idea")]],
  ])("what a handler throws is the broker's fault: %s", async (_, thrown, defects) => {
    const authorizer = {
      ...allowAll,
      isAllowed(_principal: string, _clientHost: string, _permission: Permission, name: string) {
        if (name === "a") throw thrown
        return true
      },
    }
    const started = await start({}, { authorizer })
    const [bad, good] = [await started.client(), await started.client()]
    expect(await bad.try(Metadata, 12, { topics: [{ name: "a" }] })).toBeUndefined()
    expect(started.messages.some((line) => line.includes("internal error"))).toBe(true)
    expect(started.defects).toEqual(defects)
    const isTold = started.messages.some((line) => /request of Metadata .* defect: .*Sample v0.*too long/.test(line))
    expect(isTold).toBe(defects.length === 0)
    expect(await good.send(Metadata, 12, { topics: null })).toMatchObject({ controllerId: 1 })
  })

  test("108: a request above socket.request.max.bytes closes the connection", async () => {
    const client = await (await start({ "socket.request.max.bytes": "1000" })).client()
    const length = Buffer.alloc(4)
    length.writeInt32BE(1001)
    client.write([length])
    await client.whenClosed()
  })

  test("2: acks=0 gets no answer, and a failure closes the connection", async () => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    const produce = (topic: string) =>
      client.write(
        encodeRequest(
          Produce,
          9,
          { correlationId: 1000, clientId: null },
          {
            acks: 0,
            timeoutMs: 1000,
            topicData: [{ name: topic, partitionData: [{ index: 0, records: batch(["x"]) }] }],
          },
        ),
      )
    produce("a")
    expect(await client.offset("a", -1)).toBe(1)
    produce("nowhere")
    await client.whenClosed()
    expect(started.messages.at(-1)).toContain("produce with acks=0 failed with error 3")
  })

  test("3: a waiting fetch holds up its own connection only, and later answers stay behind it", async () => {
    const started = await start()
    const [client, other] = [await started.client(), await started.client()]
    await client.createTopic("a")
    const topics = [{ topic: "a", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const order: string[] = []
    const fetched = client.send(Fetch, 11, { maxWaitMs: 20_000, minBytes: 1, topics }).then(() => order.push("fetch"))
    const described = client.send(Metadata, 9, { topics: null }).then(() => order.push("metadata"))
    expect(await other.send(Metadata, 9, { topics: null })).toBeDefined()
    expect(order).toEqual([])
    await other.produce("a", batch(["x"]))
    await Promise.all([fetched, described])
    expect(order).toEqual(["fetch", "metadata"])
  })

  test("closing answers what waits instead of losing it", async () => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    const topics = [{ topic: "a", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const fetched = client.try(Fetch, 11, { maxWaitMs: 100, minBytes: 1, topics })
    await client.send(ApiVersions, 3, software).catch(() => {})
    const closed = started.broker.close()
    expect(await fetched).toMatchObject({ errorCode: 0 })
    await closed
    expect(client.closed).toBe(true)
  })
})

describe("ApiVersions", () => {
  test("V5: reports the metadata version; features are believed under an epoch above -1", async () => {
    const client = await (await start()).client()
    const response = await client.send(ApiVersions, 4, software)
    expect(response.finalizedFeaturesEpoch).toBeGreaterThanOrEqual(0)
    const level = response.finalizedFeatures.find(({ name }) => name === "metadata.version")!
    expect(level.maxVersionLevel).toBe(25)
  })

  test.each([
    [{ clientSoftwareName: "", clientSoftwareVersion: "1" }, 3, ErrorCode.INVALID_REQUEST],
    [{ clientSoftwareName: "a b", clientSoftwareVersion: "1" }, 3, ErrorCode.INVALID_REQUEST],
    [{ ...software, clusterId: "other", nodeId: 1 }, 5, ErrorCode.REBOOTSTRAP_REQUIRED],
    [{ ...software, clusterId: "other", nodeId: -1 }, 5, ErrorCode.INVALID_REQUEST],
    [{ ...software, clusterId: null, nodeId: 1 }, 5, ErrorCode.INVALID_REQUEST],
    [{ ...software, clusterId: null, nodeId: -1 }, 5, ErrorCode.NONE],
  ])("V4: %o in v%i gives %i", async (request, version, errorCode) => {
    const client = await (await start()).client()
    expect(await client.send(ApiVersions, version, request)).toMatchObject({ errorCode })
  })
})
