/**
 * What the two sides of a foreign-key join write, in topics to each other and in their stores. Big-endian.
 *
 *     reference     of a left row, in its task's store     version: double | foreign key
 *     subscription  left to right, keyed by foreign key    version: double | partition: uint32 | demand: uint8 | left key
 *     subscriber    in the right task's store              version: double | partition: uint32
 *       its key                                            hash: uint32 | length: uint32 | foreign key | left key
 *     response      right to left, keyed by left key       version: double | 0, or 1 and the right row
 *
 * A version is new with each change of a left row: what answers an older one is told by it.
 */
import { murmur2 } from "@millrace/client/producer/murmur2"
import type { Serde, SerdeBinding } from "@millrace/schema"

export interface Reference<F> {
  readonly version: number
  readonly foreignKey: F
}

export interface Subscriber {
  readonly version: number
  /** Of the left row, which its response goes back to. */
  readonly partition: number
}

/** What a left row wants of the right one: nothing any more, an answer if it is there, or an answer in any case. */
export type Demand = "nothing" | "row" | "answer"
const DEMANDS: readonly Demand[] = ["nothing", "row", "answer"]

export interface Subscription<K> extends Subscriber {
  readonly demand: Demand
  readonly key: K
}

export interface Response<V> extends Subscriber {
  readonly row: SharedRow<V>
}

/** A right row on its way to many: written once. */
export class SharedRow<V> {
  /** Undefined: there is none. */
  readonly value: V | undefined
  #bytes: Uint8Array | undefined

  constructor(value: V | undefined) {
    this.value = value
  }

  encoded(serde: Serde<V>): Uint8Array {
    return (this.#bytes ??= serde.encode(this.value!))
  }
}

const VERSION_BYTES = 8
const SUBSCRIBER_BYTES = VERSION_BYTES + 4
const SUBSCRIPTION_BYTES = SUBSCRIBER_BYTES + 1
const RESPONSE_BYTES = VERSION_BYTES + 1
export const FOREIGN_KEY_HASH_BYTES = 4
const FOREIGN_KEY_HEADER_BYTES = FOREIGN_KEY_HASH_BYTES + 4

export function reference<F>(foreignKey: Serde<F>): Serde<Reference<F>> {
  return {
    name: `reference(${foreignKey.name})`,
    encode({ version, foreignKey: key }) {
      const bytes = foreignKey.encode(key)
      const out = Buffer.allocUnsafe(VERSION_BYTES + bytes.length)
      out.writeDoubleBE(version, 0)
      out.set(bytes, VERSION_BYTES)
      return out
    },
    decode: (bytes) => ({
      version: viewOf(bytes).getFloat64(0),
      foreignKey: foreignKey.decode(bytes.subarray(VERSION_BYTES)),
    }),
    ...binding(foreignKey, reference),
  }
}

export function subscription<K>(key: Serde<K>): Serde<Subscription<K>> {
  return {
    name: `subscription(${key.name})`,
    encode(one) {
      const bytes = key.encode(one.key)
      const out = Buffer.allocUnsafe(SUBSCRIPTION_BYTES + bytes.length)
      writeSubscriber(out, one)
      out.writeUInt8(DEMANDS.indexOf(one.demand), SUBSCRIBER_BYTES)
      out.set(bytes, SUBSCRIPTION_BYTES)
      return out
    },
    decode: (bytes) => ({
      ...readSubscriber(bytes),
      demand: DEMANDS[bytes[SUBSCRIBER_BYTES]!]!,
      key: key.decode(bytes.subarray(SUBSCRIPTION_BYTES)),
    }),
    ...binding(key, subscription),
  }
}

export const subscriber: Serde<Subscriber> = {
  name: "subscriber",
  encode(one) {
    const out = Buffer.allocUnsafe(SUBSCRIBER_BYTES)
    writeSubscriber(out, one)
    return out
  },
  decode: readSubscriber,
}

/** The partition is where it goes, and not written. */
export function response<V>(row: Serde<V>): Serde<Response<V>> {
  return {
    name: `response(${row.name})`,
    encode({ version, row: shared }) {
      const bytes = shared.value === undefined ? undefined : shared.encoded(row)
      const out = Buffer.allocUnsafe(RESPONSE_BYTES + (bytes?.length ?? 0))
      out.writeDoubleBE(version, 0)
      out.writeUInt8(bytes === undefined ? 0 : 1, VERSION_BYTES)
      if (bytes !== undefined) out.set(bytes, RESPONSE_BYTES)
      return out
    },
    decode: (bytes) => ({
      version: viewOf(bytes).getFloat64(0),
      partition: -1,
      row: new SharedRow(bytes[VERSION_BYTES] === 1 ? row.decode(bytes.subarray(RESPONSE_BYTES)) : undefined),
    }),
    ...binding(row, response),
  }
}

export interface SubscriberKey<F, K> {
  readonly foreignKey: F
  readonly key: K
}

export interface SubscriberKeySerde<F, K> extends Serde<SubscriberKey<F, K>> {
  /** How the keys of all subscribers of a foreign key begin, and no others. */
  prefix(foreignKey: F): Uint8Array
}

/** The hash spreads foreign keys over the buckets of a memtable, and the length tells "a" from the beginning of "ab". */
export function subscriberKey<F, K>(foreignKey: Serde<F>, key: Serde<K>): SubscriberKeySerde<F, K> {
  const prefix = (one: F, more = 0) => {
    const bytes = foreignKey.encode(one)
    const out = Buffer.allocUnsafe(FOREIGN_KEY_HEADER_BYTES + bytes.length + more)
    out.writeInt32BE(murmur2(bytes) | 0, 0)
    out.writeUInt32BE(bytes.length, FOREIGN_KEY_HASH_BYTES)
    out.set(bytes, FOREIGN_KEY_HEADER_BYTES)
    return out
  }
  return {
    name: `subscriber(${foreignKey.name}, ${key.name})`,
    prefix,
    encode(one) {
      const bytes = key.encode(one.key)
      const out = prefix(one.foreignKey, bytes.length)
      out.set(bytes, out.length - bytes.length)
      return out
    },
    decode(bytes) {
      const end = FOREIGN_KEY_HEADER_BYTES + viewOf(bytes).getUint32(FOREIGN_KEY_HASH_BYTES)
      return {
        foreignKey: foreignKey.decode(bytes.subarray(FOREIGN_KEY_HEADER_BYTES, end)),
        key: key.decode(bytes.subarray(end)),
      }
    },
    ...((foreignKey.bind ?? key.bind) && {
      bind: async (to: SerdeBinding) =>
        subscriberKey((await foreignKey.bind?.(to)) ?? foreignKey, (await key.bind?.(to)) ?? key),
    }),
  }
}

const binding = <T, W>(inner: Serde<T>, wrap: (bound: Serde<T>) => Serde<W>) =>
  inner.bind === undefined ? {} : { bind: async (to: SerdeBinding) => wrap(await inner.bind!(to)) }

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function writeSubscriber(out: Buffer, { version, partition }: Subscriber): void {
  out.writeDoubleBE(version, 0)
  out.writeUInt32BE(partition, VERSION_BYTES)
}

function readSubscriber(bytes: Uint8Array): Subscriber {
  const view = viewOf(bytes)
  return { version: view.getFloat64(0), partition: view.getUint32(VERSION_BYTES) }
}
