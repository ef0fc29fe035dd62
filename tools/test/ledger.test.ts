import { describe, expect, it } from "vitest"
import { Ledger } from "../src/torture/ledger.ts"

describe("the torture run's ledger", () => {
  const ledger = new Ledger()
  for (const value of ["a", "b", "c"]) ledger.acknowledged.add(value)
  ledger.aborted.add("aborted-a")

  const inputs: [name: string, log: string[], findings: string[]][] = [
    ["is content with every acknowledged value once", ["c", "a", "b"], []],
    ["lets a value without an answer be there", ["a", "b", "c", "d"], []],
    ["misses an acknowledged value", ["a", "c"], ["acknowledged but missing: b"]],
    ["sees a duplicate", ["a", "b", "c", "b"], ["duplicated in the input topic: b"]],
  ]
  it.each(inputs)("%s", (_, log, findings) => expect(ledger.checkInput(log)).toEqual(findings))

  const copies: [name: string, copy: string[], findings: string[]][] = [
    ["is content with an exact copy", ["c", "b", "a"], []],
    ["misses a value", ["a", "b"], ["not copied: c"]],
    ["sees a value copied twice", ["a", "b", "c", "c"], ["copied 2 times: c"]],
    ["sees what was aborted", ["a", "b", "c", "aborted-a"], ["aborted but visible: aborted-a"]],
    ["sees what was never there", ["a", "b", "c", "x"], ["copied from nowhere: x"]],
  ]
  it.each(copies)("%s", (_, copy, findings) => expect(ledger.checkCopy(["a", "b", "c"], copy)).toEqual(findings))
})
