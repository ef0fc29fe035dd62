/** Levels of features, and how they are changed, beside a real Apache Kafka; what is changed is changed back. */
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import { StreamsGroupHeartbeat } from "@millrace/protocol/messages/streams-group-heartbeat"
import { UpdateFeatures } from "@millrace/protocol/messages/update-features"
import { versionsOf } from "./broker-topics.ts"
import { compare, group, oracle } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle()

const [UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE] = [1, 2, 3]
type Update = readonly [feature: string, maxVersionLevel: number, upgradeType?: number]

function update(side: Side, version: number, updates: readonly Update[], validateOnly: boolean) {
  return side.tell(UpdateFeatures, version, {
    timeoutMs: 5000,
    featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({
      ...{ feature, maxVersionLevel },
      ...(version === 0 ? { allowDowngrade: upgradeType !== UPGRADE } : { upgradeType }),
    })),
    ...(version === 0 ? {} : { validateOnly }),
  } as never)
}

const QUESTIONS: readonly (readonly Update[])[] = [
  [],
  [["transaction.version", 2]],
  [["transaction.version", 2, SAFE_DOWNGRADE]],
  [["transaction.version", 1]],
  ...[SAFE_DOWNGRADE, UNSAFE_DOWNGRADE, 0, 4, -1].map((type): Update[] => [["transaction.version", 1, type]]),
  [["transaction.version", 0, SAFE_DOWNGRADE]],
  ...[3, -1].flatMap((level): Update[][] => [
    [["transaction.version", level]],
    [["transaction.version", level, SAFE_DOWNGRADE]],
  ]),
  [["metadata.version", 6, UNSAFE_DOWNGRADE]],
  [["metadata.version", 0, UNSAFE_DOWNGRADE]],
  [["metadata.version", 20]],
  [["metadata.version", 20, SAFE_DOWNGRADE]],
  [["metadata.version", 20, UNSAFE_DOWNGRADE]],
  [["metadata.version", 200]],
  ...["nonsense", ""].flatMap((name): Update[][] => [[[name, 1]], [[name, 0, SAFE_DOWNGRADE]]]),
  [
    ["group.version", 0, SAFE_DOWNGRADE],
    ["streams.version", 0, UNSAFE_DOWNGRADE],
  ],
  [
    ["group.version", 0, SAFE_DOWNGRADE],
    ["streams.version", 2],
  ],
  [["kraft.version", 0]],
]

compare("all versions of UpdateFeatures, where nothing is changed", async (side) => {
  // Version 0 cannot be asked to leave all as it is.
  for (const updates of QUESTIONS.filter((one) => one.every(([, , type = UPGRADE]) => type === UPGRADE)))
    await update(side, 0, updates, false)
  for (const version of versionsOf(UpdateFeatures, 1))
    for (const updates of QUESTIONS) await update(side, version, updates, true)
})

compare("a level that is lowered and raised again, seen in the answers of ApiVersions", async (side) => {
  const level = async (name: string) => {
    const named = { clientSoftwareName: "oracle", clientSoftwareVersion: "1.0" }
    const { finalizedFeatures } = await side.askSilently(ApiVersions, 4, named as never)
    return finalizedFeatures.find((feature) => feature.name === name)?.maxVersionLevel ?? 0
  }
  for (const [version, name, low, high] of [
    [0, "transaction.version", 2, 2],
    [1, "transaction.version", 1, 2],
    [2, "transaction.version", 0, 2],
    [2, "group.version", 0, 1],
    [2, "streams.version", 0, 1],
  ] as const) {
    await update(side, version, [[name, low, SAFE_DOWNGRADE]], false)
    // Kafka's broker hears of it a moment after its controller has answered.
    while ((await level(name)) !== low);
    await update(side, version, [[name, high, SAFE_DOWNGRADE]], false)
    await update(side, version, [[name, high]], false)
    while ((await level(name)) !== high);
  }
})

compare("groups of a protocol whose feature is off", async (side) => {
  const groupId = group("off")
  await side.coordinator(groupId, 0)
  const beat = { groupId, memberId: "m", memberEpoch: 0 }
  const ask = async () => {
    for (const version of versionsOf(ConsumerGroupHeartbeat))
      await side.tell(ConsumerGroupHeartbeat, version, { ...beat, rebalanceTimeoutMs: 1000 } as never)
    for (const version of versionsOf(ConsumerGroupDescribe))
      await side.tell(ConsumerGroupDescribe, version, {
        groupIds: [groupId, ""],
        includeAuthorizedOperations: false,
      } as never)
    for (const version of versionsOf(StreamsGroupHeartbeat))
      await side.tell(StreamsGroupHeartbeat, version, { ...beat, endpointInformationEpoch: 0 } as never)
    for (const version of versionsOf(StreamsGroupDescribe))
      await side.tell(StreamsGroupDescribe, version, {
        groupIds: [groupId, ""],
        includeAuthorizedOperations: false,
      } as never)
  }
  const names = ["group.version", "streams.version"]
  const isServed = async () =>
    (
      await side.askSilently(ConsumerGroupDescribe, 0, {
        groupIds: [groupId],
        includeAuthorizedOperations: false,
      } as never)
    ).groups[0]!.errorCode !== 35
  await side.askSilently(UpdateFeatures, 2, {
    featureUpdates: names.map((feature) => ({ feature, maxVersionLevel: 0, upgradeType: SAFE_DOWNGRADE })),
  } as never)
  while (await isServed());
  await ask()
  await side.askSilently(UpdateFeatures, 2, {
    featureUpdates: names.map((feature) => ({ feature, maxVersionLevel: 1, upgradeType: UPGRADE })),
  } as never)
  while (!(await isServed()));
})
