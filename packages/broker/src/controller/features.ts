/**
 * The features this broker can serve, and the levels a new cluster starts with (KIP-584).
 *
 * metadata.version 25 is Kafka's 4.0-IV3: the record versions in records.ts are those of that level.
 */
import type { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"

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
const GROUP_VERSION = "group.version"

/** 1: groups of Kafka Streams instances are served (KIP-1071). */
const STREAMS_VERSION = "streams.version"

export const supportedFeatures: readonly SupportedFeature[] = [
  { name: METADATA_VERSION, minLevel: 7, maxLevel: 25, initialLevel: 25 },
  { name: TRANSACTION_VERSION, minLevel: 0, maxLevel: 2, initialLevel: 2 },
  { name: GROUP_VERSION, minLevel: 0, maxLevel: 1, initialLevel: 1 },
  { name: STREAMS_VERSION, minLevel: 0, maxLevel: 1, initialLevel: 1 },
]

/** Levels for a cluster that has none yet. */
export function initialFeatures(image: MetadataImage): MetadataRecord[] {
  return supportedFeatures
    .filter(({ name }) => !image.features().has(name))
    .map(({ name, initialLevel }) => ({ type: "FeatureLevelRecord", data: { name, featureLevel: initialLevel } }))
}

/** The level that a cluster which does not say otherwise is given. */
export function supportedLevel(name: string): number {
  return supportedFeatures.find((feature) => feature.name === name)?.initialLevel ?? 0
}
