/**
 * The codec for values whose serde is not known: MessagePack with records, self-describing, each value on its own.
 *
 *     MessagePack                                                      of anything
 *     0xc1 | length of names: uint16 | names | MessagePack             of an object whose shape was met before, or a list of such
 *
 * It keeps what JSON loses: undefined, NaN, Map, Set, Date, bytes. Classes come back as plain objects; an operator that
 * must restore a class is given its serde.
 *
 * The names of an object's members are most of the work, and objects of one program have few shapes. So the names stand as a
 * block before the values: writing copies it, and reading compares it with those that are known, to which there is a
 * reader. 0xc1 begins no MessagePack.
 */
import type { Serde } from "@millrace/schema"
import { Packr, RESERVE_START_SPACE } from "msgpackr"

const OPTIONS = { useRecords: true, moreTypes: true, copyBuffers: true } as const
const packr = new Packr(OPTIONS)

const SHAPED = 0xc1
const HEAD_BYTES = 3
/** So many bytes the packer leaves free before a value when it is asked to. */
const RESERVED_BYTES_MAX = 0xff
/** Objects with names that are data, such as ids, have no shape. */
const SHAPES_MAX = 512
const MEMBERS_MAX = 64
const NAMES_BYTES_MAX = 0xffff

interface Shape {
  /** The marker, the length and the names. */
  readonly head: Buffer
  readonly packr: Packr
}

/** By the names so far, one after another. */
interface Step {
  readonly next: Map<string, Step>
  shape: Shape | undefined
}

const newStep = (): Step => ({ next: new Map(), shape: undefined })
const start = newStep()
const shapes = new Map<string, Shape>()
let steps = 0

function shapeOf(value: object): Shape | undefined {
  const names = Object.keys(value)
  if (names.length === 0 || names.length > MEMBERS_MAX) return undefined
  let step = start
  for (const name of names) {
    let next = step.next.get(name)
    if (next === undefined) {
      if (steps === SHAPES_MAX * MEMBERS_MAX) return undefined
      steps++
      step.next.set(name, (next = newStep()))
    }
    step = next
  }
  return (step.shape ??= shapeNamed(JSON.stringify(names)))
}

/** Of names as JSON; undefined where there are too many shapes. */
function shapeNamed(names: string): Shape | undefined {
  const known = shapes.get(names)
  if (known !== undefined) return known
  if (shapes.size === SHAPES_MAX || Buffer.byteLength(names) > NAMES_BYTES_MAX) return undefined
  const shape = newShape(names)
  shapes.set(names, shape)
  return shape
}

function newShape(names: string): Shape {
  const head = Buffer.alloc(HEAD_BYTES + Buffer.byteLength(names))
  head[0] = SHAPED
  head.writeUInt16BE(head.length - HEAD_BYTES, 1)
  head.write(names, HEAD_BYTES)
  return { head, packr: new Packr({ ...OPTIONS, structures: [JSON.parse(names)], maxSharedStructures: 1 }) }
}

/** What was read last is what comes next, most often. */
let last: Shape | undefined

function shapeAt(bytes: Uint8Array): Shape {
  if (last !== undefined && startsWith(bytes, last.head)) return last
  const end = HEAD_BYTES + (bytes[1]! << 8) + bytes[2]!
  const names = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8", HEAD_BYTES, end)
  last = shapeNamed(names) ?? newShape(names)
  return last
}

function startsWith(bytes: Uint8Array, head: Buffer): boolean {
  for (let at = head.length - 1; at >= 0; at--) if (bytes[at] !== head[at]) return false
  return true
}

export const packed: Serde<any> = {
  name: "packed",
  encode(value) {
    // Of a list the first tells: others than it are told with their names.
    const sample: unknown = Array.isArray(value) ? value[0] : value
    if (typeof sample !== "object" || sample === null || Object.getPrototypeOf(sample) !== Object.prototype)
      return packr.pack(value)
    const shape = shapeOf(sample)
    if (shape === undefined) return packr.pack(value)
    const { head } = shape
    if (head.length <= RESERVED_BYTES_MAX) {
      const out = shape.packr.pack(value, RESERVE_START_SPACE | head.length)
      out.set(head, 0)
      return out
    }
    const body = shape.packr.pack(value)
    const out = Buffer.allocUnsafe(head.length + body.length)
    out.set(head, 0)
    out.set(body, head.length)
    return out
  },
  decode(bytes) {
    if (bytes[0] !== SHAPED) return packr.unpack(bytes)
    const shape = shapeAt(bytes)
    return shape.packr.unpack(bytes.subarray(shape.head.length))
  },
}
