/**
 * A uuid is the 22-character base64url string that Kafka prints: one spelling for each 128-bit value, so that `===`
 * compares ids. Strings with stray bits in the last character are refused, they would be a second spelling.
 */
export type Uuid = string

export const ZERO_UUID: Uuid = "AAAAAAAAAAAAAAAAAAAAAA"
/** Reserved by KIP-500 for the metadata topic. */
export const METADATA_TOPIC_ID: Uuid = "AAAAAAAAAAAAAAAAAAAAAQ"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const sextets = new Int8Array(128).fill(-1)
for (let i = 0; i < alphabet.length; i++) sextets[alphabet.charCodeAt(i)] = i

/** Writes the 16 bytes of `uuid` at `offset`; false when the string is no uuid (bytes there are then undefined). */
export function writeUuid(uuid: Uuid, target: Uint8Array, offset: number): boolean {
  if (uuid.length !== 22) return false
  let at = offset
  let invalid = 0
  for (let i = 0; i < 20; i += 4) {
    const a = sextet(uuid, i)
    const b = sextet(uuid, i + 1)
    const c = sextet(uuid, i + 2)
    const d = sextet(uuid, i + 3)
    invalid |= a | b | c | d
    const bits = (a << 18) | (b << 12) | (c << 6) | d
    target[at] = bits >> 16
    target[at + 1] = bits >> 8
    target[at + 2] = bits
    at += 3
  }
  const a = sextet(uuid, 20)
  const b = sextet(uuid, 21)
  target[at] = (a << 2) | (b >> 4)
  return (invalid | a | b) >= 0 && (b & 15) === 0
}

function sextet(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 128 ? sextets[code]! : -1
}

/** The uuid of 16 bytes at `offset`. */
export function readUuid(bytes: Uint8Array, offset: number): Uuid {
  let text = ""
  let at = offset
  for (let i = 0; i < 5; i++) {
    const bits = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    text += alphabet[bits >> 18]! + alphabet[(bits >> 12) & 63]! + alphabet[(bits >> 6) & 63]! + alphabet[bits & 63]!
    at += 3
  }
  const last = bytes[at]!
  return text + alphabet[last >> 2]! + alphabet[(last & 3) << 4]!
}

/** A version-4 uuid of 16 random bytes, never one that starts with a dash (tools would take it for an option). */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  const copy = bytes.slice(0, 16)
  copy[6] = (copy[6]! & 0x0f) | 0x40
  copy[8] = (copy[8]! & 0x3f) | 0x80
  if (copy[0]! >> 2 === 62) copy[0] = copy[0]! & 0x7f
  return readUuid(copy, 0)
}

/** Reads as: is this one of the spellings above? */
export function isUuid(text: string): boolean {
  return writeUuid(text, scratch, 0)
}

const scratch = new Uint8Array(16)
