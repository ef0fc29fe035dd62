/**
 * What one broker speaks: the ranges and finalized features of its ApiVersions answer (KIP-35, KIP-584).
 */
import { UnsupportedVersionError } from "../errors.ts"

export interface VersionRange {
  readonly min: number
  readonly max: number
}

interface ApiLike {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

export class BrokerVersions {
  readonly #ranges: ReadonlyMap<number, VersionRange>
  readonly #features: ReadonlyMap<string, number>

  constructor(ranges: ReadonlyMap<number, VersionRange>, features: ReadonlyMap<string, number>) {
    this.#ranges = ranges
    this.#features = features
  }

  /** The level that the cluster has finalized; 0 when it has not. */
  feature(name: string): number {
    return this.#features.get(name) ?? 0
  }

  /** The broker's own range, whatever this client knows. */
  range(apiKey: number): VersionRange | undefined {
    return this.#ranges.get(apiKey)
  }

  supports(api: ApiLike, version = api.minVersion): boolean {
    const range = this.#ranges.get(api.key)
    return range !== undefined && Math.min(range.max, api.maxVersion) >= Math.max(range.min, version)
  }

  /** The highest version that both sides know, at most `cap`; throws when there is none at or above `floor`. */
  choose(api: ApiLike, cap = api.maxVersion, floor = api.minVersion): number {
    const range = this.#ranges.get(api.key)
    if (!range) throw new UnsupportedVersionError(`the broker does not serve ${api.name}`)
    const version = Math.min(range.max, api.maxVersion, cap)
    if (version < Math.max(range.min, api.minVersion, floor)) {
      throw new UnsupportedVersionError(
        `the broker serves ${api.name} versions ${range.min} to ${range.max}, this call needs ` +
          `${Math.max(floor, api.minVersion)} to ${Math.min(cap, api.maxVersion)}`,
      )
    }
    return version
  }
}
