/**
 * JSON as text.
 */
import { asBuffer } from "./basic-serdes.ts"
import { SerdeError } from "./errors.ts"
import { reasonOf } from "./explain.ts"
import type { Serde } from "./serde.ts"

/** JSON text of anything `JSON.stringify` takes. Trusts that what it reads is a `T`. */
export const jsonText = <T>(name = "json"): Serde<T> => ({
  name,
  encode(value) {
    const text = JSON.stringify(value)
    if (text === undefined) throw new SerdeError(name, `${typeof value} has no JSON form`)
    return Buffer.from(text, "utf8")
  },
  decode(bytes) {
    try {
      // Without arguments, which is UTF-8 too, there is less to look at.
      return JSON.parse(asBuffer(bytes).toString())
    } catch (cause) {
      throw new SerdeError(name, `not JSON: ${reasonOf(cause)}`, cause)
    }
  },
})
