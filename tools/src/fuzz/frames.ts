/**
 * Frames as they go on the wire: requests of every API and version that the broker serves, and of some that it does not;
 * most of them damaged in one way or two. A frame is a function of the seed, its number, and of what answers have told.
 */
import { type Api, encodeRequest, FRAME_LENGTH_BYTES } from "@millrace/protocol"
import { apis } from "@millrace/protocol/messages/index"
import { allApis } from "@millrace/broker/api/all"
import { advertisedRange } from "@millrace/broker/api/registry"
import { SeededRandom } from "@millrace/simulation/random"
import { damage, EDGES } from "./damage.ts"
import { Values } from "./values.ts"
import type { Words } from "./words.ts"

export interface Frame {
  /** With its length before it, which may be wrong. */
  readonly bytes: Uint8Array
  /** What it was before it was damaged. */
  readonly what: string
  /** The length before it is that of what follows. */
  readonly isWhole: boolean
}

interface Served {
  readonly api: Api
  readonly min: number
  readonly max: number
}

const SERVED: readonly Served[] = [...allApis().handlers.values()].map((handler) => ({
  api: handler.api as unknown as Api,
  min: handler.api.minVersion,
  max: advertisedRange(handler).maxVersion,
}))
/** What somebody may ask before it is known who it is, and what a token may be. */
const SASL_APIS: readonly Served[] = SERVED.filter(({ api }) => [17, 18, 36].includes(api.key))
const UNSERVED: readonly Served[] = [...apis.values()]
  .filter(({ key }) => !SERVED.some(({ api }) => api.key === key))
  .map((api) => ({ api, min: api.minVersion, max: api.maxVersion }))
/** Asked for more often: what they keep is deepest. */
const OFTEN: readonly Served[] = SERVED.filter(({ api }) =>
  /^(Produce|Fetch|JoinGroup|SyncGroup|OffsetCommit|ConsumerGroupHeartbeat|StreamsGroupHeartbeat|InitProducerId|TxnOffsetCommit)$/.test(
    api.name,
  ),
)

export interface FrameOptions {
  readonly seed: number
  readonly words: Words
  /** The broker's time. */
  readonly now: number
  /** For a listener where clients authenticate. */
  readonly sasl: boolean
}

export function frameOf(index: number, { seed, words, now, sasl }: FrameOptions): Frame {
  const random = new SeededRandom(`${seed}/${index}`)
  if (random.chance(0.01)) return noise(random)
  const { api, min, max } = pickApi(random, sasl)
  const version = random.between(min, max)
  const header = { correlationId: index & 0x7fff_ffff, clientId: random.chance(0.1) ? null : "fuzz" }
  const value = new Values(random, words, now).of(api.request, version)
  const encoded = encodeRequest(api, version, header, value)
  const length = encoded.reduce((sum, part) => sum + part.length, 0)
  let what = `${api.name} v${version}`
  if (length > FRAME_BYTES_MAX) {
    const begun = withLength(Buffer.concat(encoded, BEGUN_BYTES), length - FRAME_LENGTH_BYTES)
    return { bytes: begun, what: `${what} too large`, isWhole: false }
  }
  let bytes: Uint8Array = Buffer.concat(encoded)
  let isWhole = true
  const choice = random.float()
  if (choice > (sasl ? 0.75 : 0.4)) {
    // Behind the header mostly, which is all the same whatever the request.
    const from = random.chance(0.9) ? Math.min(bytes.length, FRAME_LENGTH_BYTES + HEADER_BYTES) : FRAME_LENGTH_BYTES
    for (let left = choice > 0.85 ? 2 : 1; left > 0; left--) bytes = damage(random, bytes, from)
    bytes = withLength(bytes, bytes.length - FRAME_LENGTH_BYTES)
    what += " damaged"
  }
  if (random.chance(0.02)) {
    bytes = otherVersion(random, bytes)
    what += " of another key or version"
  }
  if (random.chance(0.02)) {
    bytes = withLength(bytes, random.pick([...EDGES, bytes.length, bytes.length - 5, bytes.length + 1_000]))
    isWhole = false
    what += " of another length"
  }
  return { bytes, what, isWhole }
}

/** Many batches of some megabytes would be more than this process may hold in copies; of those a peer sends the beginning. */
const FRAME_BYTES_MAX = 64 << 20
const BEGUN_BYTES = 64 << 10

/** Key, version, correlation id and the length of the client's name. */
const HEADER_BYTES = 10

function pickApi(random: SeededRandom, sasl: boolean): Served {
  if (sasl && random.chance(0.95)) return random.pick(SASL_APIS)
  if (random.chance(0.01)) return random.pick(UNSERVED)
  return random.pick(random.chance(0.4) ? OFTEN : SERVED)
}

function withLength(bytes: Uint8Array, length: number): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.writeInt32BE(length | 0)
  return copy
}

function otherVersion(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  if (copy.length < FRAME_LENGTH_BYTES + 4) return copy
  const key = random.chance(0.5)
  copy.writeUInt16BE(random.pick(EDGES) & 0xffff, key ? FRAME_LENGTH_BYTES : FRAME_LENGTH_BYTES + 2)
  return copy
}

function noise(random: SeededRandom): Frame {
  const choice = random.float()
  if (choice < 0.2) return { bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n"), what: "HTTP", isWhole: false }
  if (choice < 0.4) return { bytes: Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]), what: "TLS", isWhole: false }
  const bytes = Buffer.concat([Buffer.alloc(FRAME_LENGTH_BYTES), random.bytes(random.int(300))])
  return { bytes: withLength(bytes, bytes.length - FRAME_LENGTH_BYTES), what: "noise", isWhole: true }
}
