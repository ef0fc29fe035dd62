/**
 * The features this broker can serve, the levels a new cluster starts with (KIP-584), and how they are changed (KIP-778).
 * Levels are records of the metadata log: what is changed holds at once and after a restart. Level 0 is a feature's absence.
 *
 * metadata.version 25 is Kafka's 4.0-IV3: the record versions in records.ts are those of that level.
 */
import { ErrorCode } from "@millrace/protocol"
import type { UpdateFeaturesRequest } from "@millrace/protocol/messages/update-features"
import type { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import { type Outcome, outcomeOf, Refusal } from "./refusal.ts"
import type { Decision } from "./topics.ts"

export interface SupportedFeature {
  readonly name: string
  readonly minLevel: number
  readonly maxLevel: number
  /** What a new cluster is given. */
  readonly initialLevel: number
}

const METADATA_VERSION = "metadata.version"
/** 2: the epoch grows with every transaction, and partitions join it by being written to (KIP-890). */
export const TRANSACTION_VERSION = "transaction.version"

/** 1: groups of the new protocol are served (KIP-848). */
export const GROUP_VERSION = "group.version"

/** 1: groups of Kafka Streams instances are served (KIP-1071). */
export const STREAMS_VERSION = "streams.version"

export const supportedFeatures: readonly SupportedFeature[] = [
  { name: METADATA_VERSION, minLevel: 7, maxLevel: 25, initialLevel: 25 },
  { name: TRANSACTION_VERSION, minLevel: 0, maxLevel: 2, initialLevel: 2 },
  { name: GROUP_VERSION, minLevel: 0, maxLevel: 1, initialLevel: 1 },
  { name: STREAMS_VERSION, minLevel: 0, maxLevel: 1, initialLevel: 1 },
]

/** Kafka's, which are absent here: tools that set all levels of a release name them too, at level 0. */
const absentFeatures: readonly string[] = ["kraft.version", "share.version", "eligible.leader.replicas.version"]

/** Kafka's numbers for which way a level may go; unsafe, it may lose what the lower level has no record for. */
export const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const
const UPGRADE_TYPES: ReadonlySet<number> = new Set(Object.values(UpgradeType))

/** Levels for a cluster that has none yet: a feature that is absent from any other was taken away. */
export function initialFeatures(image: MetadataImage): MetadataRecord[] {
  if (image.features().has(METADATA_VERSION)) return []
  return supportedFeatures.map(({ name, initialLevel }) => levelRecord(name, initialLevel))
}

export const featureLevel = (image: MetadataImage, name: string): number => image.features().get(name) ?? 0

/** All updates of a request take effect, or none. Of a feature that is named twice the last counts. */
export function updateFeatures(
  image: MetadataImage,
  { featureUpdates, validateOnly }: Pick<UpdateFeaturesRequest, "featureUpdates" | "validateOnly">,
): Decision<Outcome> {
  const updates = new Map(featureUpdates.map((update) => [update.feature, update]))
  const response = outcomeOf(() => {
    for (const update of updates.values()) checkUpdate(image, update)
  })
  if (response.errorCode !== ErrorCode.NONE) return { records: [], response }
  const changed = [...updates.values()].filter(
    ({ feature, maxVersionLevel }) => maxVersionLevel !== featureLevel(image, feature),
  )
  const records = validateOnly
    ? []
    : changed.map(({ feature, maxVersionLevel }) => levelRecord(feature, maxVersionLevel))
  return { records, response }
}

type FeatureUpdate = UpdateFeaturesRequest["featureUpdates"][number]

function checkUpdate(image: MetadataImage, { feature, maxVersionLevel: level, upgradeType }: FeatureUpdate): void {
  const refuse = (reason: string) => {
    throw new Refusal(
      ErrorCode.INVALID_UPDATE_VERSION,
      `Feature ${feature} cannot be set to level ${level}: ${reason}.`,
    )
  }
  if (!UPGRADE_TYPES.has(upgradeType)) refuse(`there is no upgrade type ${upgradeType}`)
  if (absentFeatures.includes(feature) && level === 0) return
  const supported = supportedFeatures.find(({ name }) => name === feature)
  if (!supported) return refuse("this broker does not have it")
  const { minLevel, maxLevel } = supported
  if (level < 0 || (level < minLevel && level !== 0) || level > maxLevel)
    refuse(`this broker serves levels ${minLevel} to ${maxLevel}`)
  const current = featureLevel(image, feature)
  const isUpgrade = upgradeType === UpgradeType.UPGRADE
  if (level < current && isUpgrade) refuse(`it is at level ${current}, and a downgrade must be asked for as one`)
  if (level > current && !isUpgrade) refuse(`it is at level ${current}, and a downgrade does not lead there`)
  if (feature === METADATA_VERSION && level < current) refuse(`what was written at level ${current} could not be read`)
}

const levelRecord = (name: string, featureLevel: number): MetadataRecord => ({
  type: "FeatureLevelRecord",
  data: { name, featureLevel },
})
