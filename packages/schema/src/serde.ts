/**
 * How a value becomes bytes and back.
 *
 * Both directions are synchronous: they run once a record, inside poll loops and transactions. What a serde must learn
 * from a schema registry it learns beforehand, in `bind`. A reader can still meet a schema id it has never seen: `decode`
 * then throws `UnknownSchemaId`, whose `resolve()` fetches it; the caller awaits that and decodes the batch again.
 *
 * A null key or value never reaches a serde. In Kafka null is the absence of bytes (a tombstone, an unkeyed record), so
 * whoever reads or writes records passes it by: `encodeNullable` and `decodeNullable` do.
 *
 * Buffers: `encode` hands out bytes that nobody writes to again. `decode` may be given a view of a larger buffer and
 * keeps no reference to it, `bytes` excepted, which is that view.
 */
import type { Registry } from "./registry/registry.ts"

export interface Serde<T> {
  /** What it is called in messages and plans: `string`, `avro(Order)`. */
  readonly name: string
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
  /**
   * Present on a serde whose schema belongs in a registry: registers or looks up that schema for a topic and answers the
   * serde to use there. An unbound serde works too, without a registry: see the serde in question for its bytes.
   */
  bind?(binding: SerdeBinding): Promise<Serde<T>>
}

/** Where a serde is going to be used. */
export interface SerdeBinding {
  readonly registry: Registry
  readonly topic: string
  readonly isKey: boolean
}

export type SerdeType<S> = S extends Serde<infer T> ? T : never

/** The serde to use on a topic: bound where the serde asks for it and there is a registry, as it is otherwise. */
export async function bindSerde<T>(
  serde: Serde<T>,
  binding: { readonly registry: Registry | undefined; readonly topic: string; readonly isKey: boolean },
): Promise<Serde<T>> {
  const { registry, topic, isKey } = binding
  return serde.bind && registry ? await serde.bind({ registry, topic, isKey }) : serde
}

export const encodeNullable = <T>(serde: Serde<T>, value: T | null | undefined): Uint8Array | null =>
  value === null || value === undefined ? null : serde.encode(value)

export const decodeNullable = <T>(serde: Serde<T>, bytes: Uint8Array | null): T | null =>
  bytes === null ? null : serde.decode(bytes)
