/**
 * Encode and decode a message body. The codec of a (message, version) is compiled when first used and kept with the
 * message; importing a message compiles nothing.
 *
 * When compiled code fails, the interpreter repeats the work to name the field: the good path pays nothing for errors.
 * Results of `decode` hold views of the given buffer. `encode` answers bytes of its own.
 */
import { ProtocolError, WireFault } from "../bytes/fault.ts"
import { Reader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"
import { compile, type CompiledCodec } from "./compile.ts"
import { interpretDecode, interpretEncode, LocatedFault } from "./interpret.ts"
import type { Message } from "./message.ts"
import { planOf, type PlannedStruct } from "./plan.ts"
import { versionRange } from "./version-range.ts"

export interface Codec extends CompiledCodec {
  readonly plan: PlannedStruct
}

/** The writer is kept between messages up to this size. */
const WRITER_BYTES_KEPT_MAX = 1 << 20

export function codecOf(message: Message, version: number): Codec {
  return message.codecs[version] ?? newCodec(message, version)
}

function newCodec(message: Message, version: number): Codec {
  const { min, max } = versionRange(message.versions)
  if (!Number.isInteger(version) || version < min || version > max) {
    throw new ProtocolError(message.name, version, "", -1, `no such version, valid are ${message.versions}`)
  }
  const plan = planOf(message, version)
  const codec = { plan, ...compiledOrInterpreted(plan) }
  message.codecs[version] = codec
  return codec
}

function compiledOrInterpreted(plan: PlannedStruct): CompiledCodec {
  try {
    return compile(plan)
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    return {
      encode: (writer, value) => interpretEncode(plan, writer, value as Record<string, unknown>),
      decode: (reader) => interpretDecode(plan, reader),
    }
  }
}

/** Decodes the body that begins at `offset`; bytes behind it are left alone. Throws `ProtocolError`. */
export function decode<D>(message: Message<D, never>, version: number, bytes: Uint8Array, offset = 0): D {
  return decodeFrom(message, version, new Reader(bytes, offset))
}

/** Decodes a body at the reader's position and leaves the reader behind it. Throws `ProtocolError`. */
export function decodeFrom<D>(message: Message<D, never>, version: number, reader: Reader): D {
  const codec = codecOf(message as Message, version)
  const start = reader.pos
  try {
    return codec.decode(reader) as D
  } catch (error) {
    const again = new Reader(reader.bytes, start)
    throw explained(message.name, version, error, () => interpretDecode(codec.plan, again), true)
  }
}

/** The encoded body, without header or length. Throws `ProtocolError` naming the field that does not fit. */
export function encode<E>(message: Message<unknown, E>, version: number, value: E): Uint8Array {
  return withWriter((writer) => {
    encodeInto(message, version, value, writer)
    return writer.take()
  })
}

/** Writes the body at the writer's position. Throws `ProtocolError`. */
export function encodeInto<E>(message: Message<unknown, E>, version: number, value: E, writer: Writer): void {
  const codec = codecOf(message as Message, version)
  try {
    codec.encode(writer, value)
  } catch (error) {
    const explain = () => interpretEncode(codec.plan, new Writer(), value as Record<string, unknown>)
    throw explained(message.name, version, error, explain, false)
  }
}

function explained(name: string, version: number, error: unknown, repeat: () => void, decoding: boolean): unknown {
  let cause = error
  try {
    repeat()
  } catch (repeated) {
    cause = repeated
  }
  if (cause instanceof LocatedFault) {
    return new ProtocolError(name, version, cause.path, decoding ? cause.offset : -1, cause.reason)
  }
  if (cause instanceof WireFault)
    return new ProtocolError(name, version, "", decoding ? cause.offset : -1, cause.reason)
  return cause
}

let idle: Writer | undefined = new Writer()

/** Lends the pooled writer; a second user meanwhile gets one of its own. */
export function withWriter<T>(use: (writer: Writer) => T): T {
  const writer = idle ?? new Writer()
  idle = undefined
  try {
    return use(writer)
  } finally {
    writer.reset(WRITER_BYTES_KEPT_MAX)
    idle = writer
  }
}
