/**
 * The engine of the wire protocol. Messages are imported one by one (`@millrace/protocol/messages/produce`), so that a
 * program loads only those it speaks; data records likewise (`@millrace/protocol/records/offset-commit`).
 */
export * from "./api-keys.ts"
export * from "./bytes/fault.ts"
export * from "./bytes/int64.ts"
export { ARRAY_ELEMENTS_MAX, fitsString, Reader, STRING_BYTES_MAX } from "./bytes/reader.ts"
export * from "./bytes/uuid.ts"
export { Writer } from "./bytes/writer.ts"
export * from "./errors.ts"
export * from "./frame.ts"
export * from "./header.ts"
export { decode, decodeFrom, encode, encodeInto } from "./schema/codec.ts"
export type { Field, Fields } from "./schema/field.ts"
export type { Decoded, Encodable } from "./schema/infer.ts"
export type { Api, Message, RecordMessage } from "./schema/message.ts"
