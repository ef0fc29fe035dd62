/**
 * Decimals as Kafka Connect and Avro carry them: a big-endian two's-complement unscaled integer; the scale is in the
 * schema. The text form is exact: "-12.30" has scale 2 and unscaled value -1230.
 */
import { DataError } from "../data/schema.ts"

export function decimalToText(unscaled: Uint8Array, scale: number): string {
  let value = 0n
  for (const byte of unscaled) value = (value << 8n) | BigInt(byte)
  if (unscaled.length > 0 && unscaled[0]! >= 0x80) value -= 1n << BigInt(unscaled.length * 8)
  const negative = value < 0n
  const digits = (negative ? -value : value).toString().padStart(scale + 1, "0")
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return negative ? `-${text}` : text
}

/** Throws a DataError when the text is no decimal or has more fraction digits than the scale keeps. */
export function decimalFromText(text: string, scale: number): Uint8Array {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text)
  const fraction = match?.[3] ?? ""
  if (!match || fraction.replace(/0+$/, "").length > scale) {
    throw new DataError(`${text} is not a decimal with at most ${scale} digits after the point`)
  }
  const digits = BigInt(match[2]! + fraction.slice(0, scale).padEnd(scale, "0"))
  return twosComplement(match[1] === "-" ? -digits : digits)
}

function twosComplement(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const byte = Number(rest & 0xffn)
    bytes.unshift(byte)
    rest >>= 8n
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Uint8Array.from(bytes)
  }
}
