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

export const supportedFeatures: readonly SupportedFeature[] = [
  { name: "metadata.version", minLevel: 7, maxLevel: 25, initialLevel: 25 },
]

/** Levels for a cluster that has none yet. */
export function initialFeatures(image: MetadataImage): MetadataRecord[] {
  return supportedFeatures
    .filter(({ name }) => !image.features().has(name))
    .map(({ name, initialLevel }) => ({ type: "FeatureLevelRecord", data: { name, featureLevel: initialLevel } }))
}
