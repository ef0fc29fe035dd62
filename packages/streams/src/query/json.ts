/**
 * Keys and rows as JSON, and keys in URLs.
 *
 * A key in a URL is percent-encoded text. Where the store's keys are texts (serde `string`), it is the key. Otherwise it is
 * JSON, so `42` is a number and `["eu",7]` a tuple, and what is no JSON is a text: `ann` and `"ann"` are the same key, and
 * the text 42 is written `"42"`. Bytes are `{"base64":"…"}`, in keys and in values. With `keyEncoding=base64` the key is
 * given as its serde writes it.
 */
import type { Serde } from "@millrace/schema"
import { PipelineError } from "../errors.ts"

const TEXT_SERDE = "string"

export function parseKey(text: string, serde: Serde<unknown>, encoding: string | null): unknown {
  if (encoding !== null && encoding !== "base64") {
    throw new PipelineError(`keyEncoding ${encoding}: base64 is the only one`)
  }
  if (encoding === "base64") return serde.decode(Buffer.from(text, "base64"))
  if (serde.name === TEXT_SERDE) return text
  try {
    return JSON.parse(text, (_, value) => bytesIn(value) ?? value)
  } catch {
    return text
  }
}

function bytesIn(value: unknown): Uint8Array | undefined {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return undefined
  const { base64 } = value as { base64?: unknown }
  return typeof base64 === "string" ? new Uint8Array(Buffer.from(base64, "base64")) : undefined
}

/** JSON of what stores hold: bytes as base64, integers beyond 2^53 as text, maps as objects, sets as lists. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key) {
    const raw = this[key]
    if (raw instanceof Uint8Array) return { base64: Buffer.from(raw).toString("base64") }
    if (typeof raw === "bigint") return String(raw)
    if (raw instanceof Map) return Object.fromEntries(raw)
    if (raw instanceof Set) return [...raw]
    return arguments[1] as unknown
  })
}
