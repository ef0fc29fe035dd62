/**
 * The arguments of `npm run sim`.
 */
import { parseArgs } from "node:util"

export interface SimArguments {
  readonly suite: string
  readonly seeds: number
  readonly from: number
  readonly mutant: string | undefined
  readonly mutants: boolean
  readonly trace: boolean
}

export const USAGE = `npm run sim -- [--suite all|broker|consumer-group|logs|streams|streams-group] [--seeds N] [--from S] [--trace]
             [--mutant NAME]   run with one fault put into the product
             [--mutants]       run every mutant; each must be caught within --seeds`

/** Throws a line for the person who typed it. */
export function readArguments(args: readonly string[], suites: readonly string[]): SimArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: "string", default: "all" },
      seeds: { type: "string", default: "200" },
      from: { type: "string", default: "1" },
      mutant: { type: "string" },
      mutants: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
    },
  })
  if (values.suite !== "all" && !suites.includes(values.suite)) {
    throw new Error(`unknown suite ${values.suite}; there are: all, ${suites.join(", ")}`)
  }
  return {
    suite: values.suite,
    seeds: count("seeds", values.seeds),
    from: count("from", values.from),
    mutant: values.mutant,
    mutants: values.mutants,
    trace: values.trace,
  }
}

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} ${text}: expected a whole number`)
  return Number(text)
}
