/** The APIs this broker serves, by key, and the version ranges it advertises. */
import type { AnyHandler } from "./handler.ts"

export interface ApiRegistry {
  readonly handlers: ReadonlyMap<number, AnyHandler>
}

export interface AdvertisedRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

export function registryOf(handlers: readonly AnyHandler[]): ApiRegistry {
  return { handlers: new Map(handlers.map((handler) => [handler.api.key, handler])) }
}

export function advertisedRange({ api, advertisedMin, maxVersion }: AnyHandler): AdvertisedRange {
  // A last version that Kafka holds back is served by nobody's default.
  const stable = api.latestUnstable === undefined ? api.maxVersion : api.latestUnstable - 1
  return { apiKey: api.key, minVersion: advertisedMin ?? api.minVersion, maxVersion: maxVersion ?? stable }
}

export function advertisedRanges(registry: ApiRegistry): AdvertisedRange[] {
  return [...registry.handlers.values()].map(advertisedRange).sort((left, right) => left.apiKey - right.apiKey)
}
