/**
 * Versioned stores that a pipeline's own processors use (KIP-889): see state/versioned-store.ts.
 */
import { durationMs, type Duration } from "./duration.ts"
import { PipelineError } from "../errors.ts"
import type { Version, VersionedStore } from "../state/versioned-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { storeKeeping } from "../topology/node.ts"
import type { StoreDefinition, StoreOptions } from "./store.ts"
import { assertName } from "./topic.ts"

/**
 * A value per key and time. A version holds from its timestamp until the next one's; a timestamp that is left out is that of
 * the record, timer or punctuation at hand. Stream time is that of the records that the processor gets.
 */
export interface VersionedState<K, V> {
  /** What held at a time, or holds now. Of times before the history only what still holds is known. */
  get(key: K, asOf?: number): V | undefined
  /** With its timestamp, and until when it holds. */
  getVersion(key: K, asOf?: number): Version<V>
  /** Versions of the history that hold at some time of `[from, to]`, the newest first. */
  versions(key: K, from?: number, to?: number): Iterable<Version<V> & { readonly value: V }>
  /**
   * Answers until when the version holds, Infinity being for now; undefined, and keeps nothing, for a time before the
   * history. A version of the same time is replaced.
   */
  put(key: K, value: V, timestamp?: number): number | undefined
  /** The key has no value from that time until the next version's. Answers as `put` does. */
  delete(key: K, timestamp?: number): number | undefined
}

export function versionedStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & { readonly history: Duration },
): StoreDefinition<VersionedState<K, V>> {
  assertName("store", name)
  const retentionMs = durationMs(`store "${name}" history`, options.history)
  if (retentionMs === 0) throw new PipelineError(`store "${name}" history: must be more than 0`)
  return {
    spec: { name, kind: "versioned", key: options.key, value: options.value, retentionMs, ...storeKeeping(options) },
    open(store, time) {
      const versions = store as VersionedStore<K, V>
      const streamTime = new StreamTime(versions.streamTime)
      const put = (key: K, value: V | undefined, timestamp = time.timestamp) =>
        timestamp < versions.historyFrom ? undefined : versions.put(key, value ?? undefined, timestamp)
      return {
        state: {
          get: (key, asOf) => versions.get(key, asOf).value,
          getVersion: (key, asOf) => versions.get(key, asOf),
          versions: (key, from, to) => versions.versions(key, from, to),
          put,
          delete: (key, timestamp) => put(key, undefined, timestamp),
        },
        observe: (record) => void streamTime.observe(record),
        advance: (time) => streamTime.advance(time),
      }
    },
  }
}
