/**
 * Input written as marbles, in the manner of RxJS:
 *
 *     "a-b(cd)|e"
 *
 * A letter or digit is a record, `-` lets one frame of event time pass, records in parentheses have one time, `|` ends the
 * transaction there, spaces mean nothing. A record takes one frame itself, as in RxJS; a group takes one frame in all.
 */
export type MarbleStep =
  | { readonly kind: "record"; readonly name: string; readonly frame: number }
  | { readonly kind: "commit" }

export function parseMarbles(marbles: string): MarbleStep[] {
  const steps: MarbleStep[] = []
  let frame = 0
  let inGroup = false
  for (const [at, symbol] of [...marbles].entries()) {
    if (symbol === " ") continue
    if (symbol === "-" && !inGroup) frame++
    else if (symbol === "(" && !inGroup) inGroup = true
    else if (symbol === ")" && inGroup) {
      inGroup = false
      frame++
    } else if (symbol === "|" && !inGroup) steps.push({ kind: "commit" })
    else if (/^[a-zA-Z0-9]$/.test(symbol)) {
      steps.push({ kind: "record", name: symbol, frame })
      if (!inGroup) frame++
    } else throw new Error(`marbles "${marbles}": ${JSON.stringify(symbol)} at ${at} means nothing there`)
  }
  if (inGroup) throw new Error(`marbles "${marbles}": a group is not closed`)
  return steps
}
