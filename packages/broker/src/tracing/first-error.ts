/**
 * The first error that an answer tells, wherever its message keeps it: at the top, or with a topic, partition or member.
 */
import { ErrorCode } from "@millrace/protocol"

/** An answer may list tens of thousands of partitions; the look at it ends after so many values. */
const VALUES_MAX = 2_000

/** ErrorCode.NONE when there is none among the values looked at. */
export function firstError(answer: object): number {
  let looked = 0
  return search(answer)

  function search(value: object): number {
    for (const [name, member] of Object.entries(value)) {
      if (++looked > VALUES_MAX) return ErrorCode.NONE
      if (name === "errorCode" && typeof member === "number" && member !== ErrorCode.NONE) return member
      if (typeof member !== "object" || member === null || ArrayBuffer.isView(member)) continue
      const found = search(member as object)
      if (found !== ErrorCode.NONE) return found
    }
    return ErrorCode.NONE
  }
}
