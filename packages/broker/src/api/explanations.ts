/**
 * Texts of an answer that explain an error. They quote what a client sent, names among it, which alone may be as long as a
 * string of the protocol can be: where one does not fit, all of the answer are cut. Anything else that does not fit is a
 * defect.
 */
const EXPLANATION = /(message|detail)$/i
const LENGTH_MAX = 1_000

export function withShortExplanations<T>(answer: T): T {
  return shortened(answer) as T
}

function shortened(part: unknown, name = ""): unknown {
  if (typeof part === "string") {
    return part.length > LENGTH_MAX && EXPLANATION.test(name) ? `${part.slice(0, LENGTH_MAX)}…` : part
  }
  if (Array.isArray(part)) return part.map((element) => shortened(element, name))
  if (typeof part !== "object" || part === null || part instanceof Uint8Array) return part
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, shortened(value, name)]))
}
