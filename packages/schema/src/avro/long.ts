/**
 * Avro's long as an exact `number`.
 *
 * avsc zigzags in floating point, which is off by one for some negative numbers beyond 2^52. This type is exact over
 * ±(2^53 - 1) and refuses everything else, when it writes and when it reads.
 *
 * A long is zigzag, then 7 bits a byte from the low end: the first byte holds the sign and 6 bits of the magnitude
 * (n for n >= 0, -n - 1 otherwise), each further byte 7 more.
 */
import avsc from "avsc"

/** avsc's cursor. Past the end of `buf` reads are undefined, and avsc reports the truncation afterwards. */
interface Tap {
  readonly buf: Uint8Array
  pos: number
}

export const LONG_TOO_LARGE = "a long is beyond ±(2^53 - 1), which a number cannot hold exactly"

const BIT_28 = 2 ** 28

export function readLong(tap: Tap): number {
  const { buf } = tap
  let byte = buf[tap.pos++]!
  let low = byte & 0x7f
  let shift = 7
  while (byte & 0x80 && shift < 28) {
    byte = buf[tap.pos++]!
    low |= (byte & 0x7f) << shift
    shift += 7
  }
  if (!(byte & 0x80)) return (low >>> 1) ^ -(low & 1)
  let high = 0
  let scale = 1
  do {
    byte = buf[tap.pos++]!
    high += (byte & 0x7f) * scale
    scale *= 128
  } while (byte & 0x80)
  // Half of high * 2^28 + low, rounded down: high may use 36 bits, the sum is exact as far as it is safe.
  const magnitude = (high * BIT_28) / 2 + (low >>> 1)
  const value = low & 1 ? -magnitude - 1 : magnitude
  if (!Number.isSafeInteger(value)) throw new RangeError(LONG_TOO_LARGE)
  return value
}

export function writeLong(tap: { readonly buf: Uint8Array; pos: number }, value: number): void {
  const { buf } = tap
  let magnitude = value < 0 ? -value - 1 : value
  let byte = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0)
  magnitude = Math.floor(magnitude / 64)
  while (magnitude > 0) {
    buf[tap.pos++] = byte | 0x80
    byte = magnitude % 128
    magnitude = Math.floor(magnitude / 128)
  }
  buf[tap.pos++] = byte
}

type Hook = ((value: unknown, type: avsc.Type) => void) | undefined
const Long = avsc.types.LongType as unknown as new () => avsc.Type

class SafeLong extends Long {
  _check(value: unknown, _flags: unknown, hook: Hook): boolean {
    const valid = Number.isSafeInteger(value)
    if (!valid) hook?.(value, this)
    return valid
  }
  _read(tap: Tap): number {
    return readLong(tap)
  }
  _write(tap: Tap, value: unknown): void {
    if (!Number.isSafeInteger(value)) throw new RangeError("not an integer within ±(2^53 - 1)")
    writeLong(tap, value as number)
  }
}

export const safeLong: avsc.Type = new SafeLong()
