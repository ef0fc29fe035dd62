import { expect, test } from "vitest"
import { mutate } from "../src/mutant.ts"
import { MUTANTS } from "../src/mutants.ts"

test("mutants have names of their own", () => {
  const names = MUTANTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))("%s still applies", (_, mutant) => {
  // Throws unless its text is there exactly once.
  expect(mutate(mutant)).not.toBe("")
  expect(mutant.replace).not.toBe(mutant.find)
})
