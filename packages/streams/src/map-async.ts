/**
 * mapAsync: a call per record inside the transaction, by an async function.
 *
 * All that map-effect.ts says holds here: order, concurrency, timeout, retries, idempotency keys, `onFailure`. What the
 * promise rejects with, or the function throws, is the failure that `retry` and `onFailure` are given: of any type, hence
 * unknown; a timeout is a `CallTimeout`. `signal` is aborted when time is up or the transaction is aborted: hand it to `fetch` and its kind, or the call
 * goes on with nobody waiting for it.
 */
import type { Rec } from "./dsl/record.ts"
import type { Stream } from "./dsl/stream.ts"
import { AsyncCall, EffectRecord, type MapEffectOptions, mapJob } from "./map-effect.ts"

/** What the function is given beside the value. */
export type AsyncRec<K, V> = Rec<K, V> & { readonly idempotencyKey: string; readonly signal: AbortSignal }

export function mapAsync<K, V, W, R>(
  f: (value: V, record: AsyncRec<K, V>) => PromiseLike<W>,
  options: MapEffectOptions<K, V, unknown>,
): (s: Stream<K, V, R>) => Stream<K, W, R> {
  const call = (value: V, record: EffectRecord) =>
    new AsyncCall((signal) => f(value, new AsyncRecord(record, signal) as AsyncRec<any, any>))
  return mapJob("mapAsync", call, options)
}

class AsyncRecord extends EffectRecord {
  readonly signal: AbortSignal
  constructor(record: EffectRecord, signal: AbortSignal) {
    super(record, record.idempotencyKey)
    this.signal = signal
  }
}
