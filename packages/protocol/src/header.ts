/**
 * Request and response frames: a header before each body (KIP-482 gave both a flexible form).
 *
 *   request   length:4 | apiKey:2 apiVersion:2 correlationId:4 clientId:2+n [tags] | body      v1, flexible v2
 *   response  length:4 | correlationId:4 [tags] | body                                         v0, flexible v1
 *
 * The client id stays a two-byte-length string even in v2, and an ApiVersions response always has header v0: a client
 * that asked in a version the broker does not know must still be able to read the refusal (KIP-511).
 *
 * Encoders answer chunks to be written in order; large `records` are chunks of their own, uncopied. Decoders take a
 * frame without its length, as `FrameSplitter` yields it, and answer views of it.
 */
import { apiOfKey } from "./api-keys.ts"
import { ProtocolError, WireFault } from "./bytes/fault.ts"
import { Reader } from "./bytes/reader.ts"
import { decodeFrom, encodeInto, withWriter } from "./schema/codec.ts"
import type { Api } from "./schema/message.ts"

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  correlationId: number
  clientId: string | null
}

export interface DecodedRequestHeader extends RequestHeader {
  /** Where the body begins in the frame. */
  bodyOffset: number
}

const API_VERSIONS_KEY = 18

export function requestHeaderVersion(api: Api, version: number): 1 | 2 {
  return version >= api.flexibleFrom ? 2 : 1
}

export function responseHeaderVersion(api: Api, version: number): 0 | 1 {
  return version >= api.flexibleFrom && api.key !== API_VERSIONS_KEY ? 1 : 0
}

/** A whole request, length first. Buffers of large `records` are part of it: keep them unchanged until it is sent. */
export function encodeRequest<ReqIn>(
  api: Api<unknown, unknown, ReqIn, never>,
  version: number,
  header: { correlationId: number; clientId: string | null },
  body: ReqIn,
): Uint8Array[] {
  return withWriter((writer) => {
    writer.splicing = true
    writer.int32(0)
    writer.int16(api.key)
    writer.int16(version)
    writer.int32(header.correlationId)
    writer.nullableString(header.clientId)
    if (version >= api.flexibleFrom) writer.uvarint(0)
    encodeInto(api.request, version, body, writer)
    writer.patchInt32(0, writer.length - 4)
    return writer.chunks()
  })
}

/** A whole response, length first; chunks as in `encodeRequest`. */
export function encodeResponse<ResIn>(
  api: Api<unknown, unknown, never, ResIn>,
  version: number,
  correlationId: number,
  body: ResIn,
): Uint8Array[] {
  return withWriter((writer) => {
    writer.splicing = true
    writer.int32(0)
    writer.int32(correlationId)
    if (responseHeaderVersion(api as Api, version) === 1) writer.uvarint(0)
    encodeInto(api.response, version, body, writer)
    writer.patchInt32(0, writer.length - 4)
    return writer.chunks()
  })
}

/**
 * The header of a request, whatever its key and version: an unknown key is read as header v1, and whether to answer is
 * the broker's affair. Throws `ProtocolError`.
 */
export function decodeRequestHeader(frame: Uint8Array): DecodedRequestHeader {
  return guarded("RequestHeader", 1, () => {
    const reader = new Reader(frame)
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    const correlationId = reader.int32()
    const clientId = reader.nullableString()
    const flexibleFrom = apiOfKey(apiKey)?.flexibleFrom
    if (flexibleFrom !== undefined && apiVersion >= flexibleFrom) reader.skipTags()
    return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.pos }
  })
}

/** Correlation id of a response, which is needed to know what it answers. */
export function correlationIdOf(frame: Uint8Array): number {
  return guarded("ResponseHeader", 0, () => new Reader(frame).int32())
}

/** A whole response. Throws `ProtocolError`. */
export function decodeResponse<Res>(
  api: Api<unknown, Res, never, never>,
  version: number,
  frame: Uint8Array,
): { correlationId: number; body: Res } {
  const reader = new Reader(frame)
  const correlationId = guarded("ResponseHeader", 0, () => {
    const id = reader.int32()
    if (responseHeaderVersion(api as Api, version) === 1) reader.skipTags()
    return id
  })
  return { correlationId, body: decodeFrom(api.response, version, reader) }
}

/** A whole request of a known API. Throws `ProtocolError`. */
export function decodeRequest<Req>(
  api: Api<Req, unknown, never, never>,
  frame: Uint8Array,
): { header: DecodedRequestHeader; body: Req } {
  const header = decodeRequestHeader(frame)
  return { header, body: decodeFrom(api.request, header.apiVersion, new Reader(frame, header.bodyOffset)) }
}

function guarded<T>(name: string, version: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof WireFault) throw new ProtocolError(name, version, "", error.offset, error.reason)
    throw error
  }
}
