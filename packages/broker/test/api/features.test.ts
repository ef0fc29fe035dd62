/** Levels of features: what may be changed, what it changes, and that it stays. */
import { ErrorCode } from "@millrace/protocol"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import { StreamsGroupHeartbeat } from "@millrace/protocol/messages/streams-group-heartbeat"
import { UpdateFeatures } from "@millrace/protocol/messages/update-features"
import { expect, test } from "vitest"
import { type Client, start } from "../harness.ts"

const [UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE] = [1, 2, 3]
type Update = readonly [feature: string, maxVersionLevel: number, upgradeType: number]

const update = (client: Client, updates: readonly Update[], validateOnly = false, version = 2) =>
  client.send(UpdateFeatures, version, {
    featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType]) => ({
      ...{ feature, maxVersionLevel, upgradeType, allowDowngrade: false },
    })),
    validateOnly,
  })

async function levels(client: Client): Promise<Record<string, number>> {
  const named = { clientSoftwareName: "test", clientSoftwareVersion: "1" }
  const { finalizedFeatures } = await client.send(ApiVersions, 4, named)
  return Object.fromEntries(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
}

const initial = { "metadata.version": 25, "transaction.version": 2, "group.version": 1, "streams.version": 1 }

test.each<[string, Update]>([
  ["there is not", ["nonsense", 1, UPGRADE]],
  ["there is not, at level 0", ["nonsense", 0, SAFE_DOWNGRADE]],
  ["is downgraded by an upgrade", ["transaction.version", 1, UPGRADE]],
  ["is changed in a way that there is not", ["transaction.version", 1, 4]],
  ["is too high", ["transaction.version", 3, UPGRADE]],
  ["is negative", ["transaction.version", -1, SAFE_DOWNGRADE]],
  ["is below what is served", ["metadata.version", 6, UNSAFE_DOWNGRADE]],
  ["would leave records that could not be read", ["metadata.version", 24, UNSAFE_DOWNGRADE]],
])("INVALID_UPDATE_VERSION of a feature that %s, and nothing else of the request happens", async (_, refused) => {
  const client = await (await start()).client()
  const answer = await update(client, [["group.version", 0, SAFE_DOWNGRADE], refused])
  expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_UPDATE_VERSION, results: [] })
  expect(await levels(client)).toEqual(initial)
})

test("levels are changed, not when only asked whether they could be, and stay so after a restart", async () => {
  const first = await start()
  const client = await first.client()
  const changes: Update[] = [
    ["transaction.version", 1, SAFE_DOWNGRADE],
    ["streams.version", 0, UNSAFE_DOWNGRADE],
    // What tools that set all levels of a release name too.
    ["share.version", 0, SAFE_DOWNGRADE],
  ]
  expect(await update(client, changes, true)).toMatchObject({ errorCode: ErrorCode.NONE })
  expect(await levels(client)).toEqual(initial)
  const { results } = await update(client, changes, false, 1)
  expect(results.map(({ feature, errorCode }) => [feature, errorCode])).toEqual(changes.map(([name]) => [name, 0]))
  const changed = { "metadata.version": 25, "transaction.version": 1, "group.version": 1 }
  expect(await levels(client)).toEqual(changed)
  await first.broker.close()
  const again = await (await start({}, { dataDir: first.dataDir })).client()
  expect(await levels(again)).toEqual(changed)
  await update(again, [["streams.version", 1, UPGRADE]])
  expect(await levels(again)).toEqual({ ...changed, "streams.version": 1 })
})

test("groups of the newer protocols are served while their feature is there", async () => {
  const client = await (await start()).client()
  const beat = { groupId: "g", memberId: "m", memberEpoch: 5 }
  const described = { groupIds: ["g"], includeAuthorizedOperations: false }
  const ask = async () => [
    (await client.send(ConsumerGroupHeartbeat, 1, { ...beat, rebalanceTimeoutMs: 1000 })).errorCode,
    (await client.send(ConsumerGroupDescribe, 1, described)).groups[0]!.errorCode,
    (await client.send(StreamsGroupHeartbeat, 1, { ...beat, endpointInformationEpoch: 0 })).errorCode,
    (await client.send(StreamsGroupDescribe, 1, described)).groups[0]!.errorCode,
  ]
  const unsupported = ErrorCode.UNSUPPORTED_VERSION
  expect(await ask()).not.toContain(unsupported)
  await update(client, [
    ["group.version", 0, SAFE_DOWNGRADE],
    ["streams.version", 0, SAFE_DOWNGRADE],
  ])
  expect(await ask()).toEqual([unsupported, unsupported, unsupported, unsupported])
  await update(client, [["group.version", 1, UPGRADE]])
  const [consumers, , streams] = await ask()
  expect([consumers === unsupported, streams]).toEqual([false, unsupported])
})
