/** Which APIs there are, and requests that are none, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { type Api, decodeResponse } from "@millrace/protocol"
import { ApiVersions, type ApiVersionsResponse } from "@millrace/protocol/messages/api-versions"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { expect, test } from "vitest"
import { compare, oracle, played } from "./oracle.ts"
import type { Side } from "./side.ts"
import { versionsOf } from "./broker-topics.ts"

oracle()

/** What Kafka serves and we do not. */
const UNSERVED: readonly (readonly [why: string, keys: readonly number[]])[] = [
  ["Share groups (KIP-932).", [76, 77, 78, 79, 83, 84, 85, 86, 87, 90, 91, 92]],
]

/** Features that only Kafka has, and levels that differ. */
const FEATURES: Readonly<Record<string, string>> = {
  "metadata.version": "Ours has the records of Kafka 4.0.",
  "kraft.version": "One controller, whose voters do not change.",
  "eligible.leader.replicas.version": "One replica.",
  "share.version": "No share groups.",
}

const named = { clientSoftwareName: "oracle", clientSoftwareVersion: "1.0" }

const versions = async (side: Side, version: number): Promise<ApiVersionsResponse> =>
  side.askSilently(ApiVersions, version, (version >= 3 ? named : {}) as never)

compare("V4: names of software, clusters and nodes", async (side) => {
  const note = async (version: number, request: object) => {
    const answer = await side.askSilently(ApiVersions, version, request as never)
    side.note("error and keys", [version, request, answer.errorCode, answer.apiKeys.length > 0])
  }
  for (const version of versionsOf(ApiVersions)) await note(version, version >= 3 ? named : {})
  for (const clientSoftwareName of ["", " ", "a b", "-a", "a-", "a.b-c", "ä", "x".repeat(300)]) {
    await note(3, { ...named, clientSoftwareName })
    await note(4, { ...named, clientSoftwareVersion: clientSoftwareName })
  }
  for (const clusterId of [null, "", "other"]) {
    for (const nodeId of [-1, 0, 1, 99]) await note(5, { ...named, clusterId, nodeId })
  }
})

test("V1, V6, V10: ranges of versions of all that Kafka serves", async () => {
  const [ours, kafkas] = await played(async (side) => (await versions(side, 4)).apiKeys)
  const unserved = new Set(UNSERVED.flatMap(([, keys]) => keys))
  expect(ours).toEqual(kafkas!.filter(({ apiKey }) => !unserved.has(apiKey)))
  expect(kafkas!.filter(({ apiKey }) => unserved.has(apiKey))).toHaveLength(unserved.size)
})

compare("V5: features that both have", async (side) => {
  for (const version of [3, 4, 5]) {
    const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await versions(side, version)
    const shared = <T extends { name: string }>(features: readonly T[]) =>
      features.filter(({ name }) => !Object.hasOwn(FEATURES, name)).sort((a, b) => (a.name < b.name ? -1 : 1))
    side.note("features", [
      ...[version, shared(supportedFeatures), shared(finalizedFeatures)],
      finalizedFeaturesEpoch > -1,
    ])
  }
})

/** Whether a frame is answered. */
async function raw(side: Side, what: string, frame: Uint8Array): Promise<void> {
  const answer = await side.sendRaw(frame)
  side.note(what, answer === undefined ? "closed" : "answered")
}

function header(apiKey: number, apiVersion: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head = Buffer.alloc(14)
  head.writeInt32BE(10 + rest.length, 0)
  head.writeInt16BE(apiKey, 4)
  head.writeInt16BE(apiVersion, 6)
  head.writeInt32BE(7, 8)
  head.writeInt16BE(-1, 12)
  return Buffer.concat([head, rest])
}

compare("1: keys, versions and frames that there are not", async (side) => {
  for (const [key, version] of [
    [-1, 0],
    [4, 0],
    [999, 0],
    [0, 2],
    [0, 14],
    [1, 3],
    [2, 0],
    [3, 14],
    [8, 1],
    [9, 0],
    [19, 1],
    [32, 0],
  ]) {
    await raw(side, `key ${key} version ${version}`, header(key!, version!))
  }
  await raw(side, "a length of 0", Buffer.alloc(4))
  await raw(side, "a negative length", Buffer.from("ffffffff", "hex"))
  await raw(side, "a length beyond all limits", Buffer.from("7fffffff", "hex"))
  await raw(side, "a body that is cut short", header(Metadata.key, 1, Buffer.from("0000", "hex")))
  await raw(side, "a body with bytes behind it", header(Metadata.key, 1, Buffer.from("0000000000", "hex")))
  await raw(side, "a name of a negative length", header(Metadata.key, 1, Buffer.from("00000001fffe", "hex")))
})

compare("V3: unknown versions of ApiVersions are answered in version 0", async (side) => {
  for (const version of [6, 99, -1]) {
    const frame = await side.sendRaw(header(ApiVersions.key, version))
    side.note(`version ${version}`, frame === undefined ? "closed" : decodeResponse(ApiVersions as Api, 0, frame).body)
  }
})
