/**
 * The codec for values whose serde is not known: MessagePack with records, self-describing, each value on its own.
 *
 * It keeps what JSON loses: undefined, NaN, Map, Set, Date, bytes. Classes come back as plain objects; an operator that
 * must restore a class is given its serde.
 */
import type { Serde } from "@millrace/schema"
import { Packr } from "msgpackr"

const packr = new Packr({ useRecords: true, moreTypes: true, copyBuffers: true })

export const packed: Serde<any> = {
  name: "packed",
  encode: (value) => packr.pack(value),
  decode: (bytes) => packr.unpack(bytes),
}
