/**
 * What is done to bytes so that they are no longer what they were. Every way leaves bytes that a peer could send; none
 * changes the ones it was given.
 */
import type { SeededRandom } from "@millrace/simulation/random"

/** Numbers at the ends of what lengths, counts and offsets may be. */
export const EDGES: readonly number[] = [
  -1, -2, 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0x7fff_fff0, 0x0100_0000,
]

/** Varints that are too long, or whose number is too large. */
const VARINTS: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x08],
]

type Way = (random: SeededRandom, bytes: Buffer, from: number) => Uint8Array

const flipBits: Way = (random, bytes, from) => {
  for (let left = random.between(1, 6); left > 0; left--) bytes[at(random, bytes, from)]! ^= 1 << random.int(8)
  return bytes
}

const setBytes: Way = (random, bytes, from) => {
  for (let left = random.between(1, 4); left > 0; left--) bytes[at(random, bytes, from)] = random.pick(BYTES)
  return bytes
}
const BYTES = [0, 1, 0x7f, 0x80, 0xff]

const cut: Way = (random, bytes, from) => bytes.subarray(0, from + random.int(bytes.length - from))

const extend: Way = (random, bytes) => Buffer.concat([bytes, random.bytes(random.between(1, 64))])

const put32: Way = (random, bytes, from) => {
  const start = at(random, bytes, from)
  if (start + 4 <= bytes.length) bytes.writeInt32BE(random.pick(EDGES) | 0, start)
  return bytes
}

const put16: Way = (random, bytes, from) => {
  const start = at(random, bytes, from)
  if (start + 2 <= bytes.length) bytes.writeUInt16BE(random.pick(EDGES) & 0xffff, start)
  return bytes
}

const putVarint: Way = (random, bytes, from) => {
  const start = at(random, bytes, from)
  const varint = random.pick(VARINTS)
  if (random.chance(0.5))
    return Buffer.concat([bytes.subarray(0, start), Buffer.from(varint), bytes.subarray(start + 1)])
  for (let index = 0; index < varint.length && start + index < bytes.length; index++)
    bytes[start + index] = varint[index]!
  return bytes
}

/** A part of it once more, over or between the others. */
const repeat: Way = (random, bytes, from) => {
  const start = at(random, bytes, from)
  const part = bytes.subarray(start, start + random.between(1, 32))
  const target = at(random, bytes, from)
  if (random.chance(0.5)) return Buffer.concat([bytes.subarray(0, target), part, bytes.subarray(target)])
  Buffer.from(part).copy(bytes, target)
  return bytes
}

const remove: Way = (random, bytes, from) => {
  const start = at(random, bytes, from)
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + random.between(1, 16))])
}

const WAYS: readonly Way[] = [flipBits, flipBits, setBytes, cut, extend, put32, put32, put16, putVarint, repeat, remove]

/** A damaged copy; bytes before `from` stay. */
export function damage(random: SeededRandom, bytes: Uint8Array, from: number): Uint8Array {
  if (bytes.length <= from) return bytes
  return random.pick(WAYS)(random, Buffer.from(bytes), from)
}

function at(random: SeededRandom, bytes: Uint8Array, from: number): number {
  return from + random.int(bytes.length - from)
}
