import { expect, test } from "vitest"
import { pageOf, section, sectionsOf } from "../src/compat/page.ts"

const row = (name: string, note: string) => ({ client: "a client", name, result: "passed", note }) as const

test("a suite writes its section of the page; those of others stay as they are, and those that nobody has go", () => {
  const titles = ["First", "Second"]
  const before = pageOf(
    ["First", "Second", "Gone"],
    new Map([
      ["First", section([row("one", "")], "- an ending")],
      ["Second", section([row("two", "")], "")],
      ["Gone", section([], "")],
    ]),
  )
  const sections = sectionsOf(before)
  expect([...sections.keys()]).toEqual([...titles, "Gone"])
  const after = pageOf(titles, sections.set("Second", section([row("three", "")], "")))
  expect(after).toBe(before.slice(0, before.indexOf("\n## Gone")).replace("| two |", "| three |"))
})

test("a note is one line of a table, and not too long", () => {
  const [, , said] = section([row("a|b", `x|y${"z".repeat(200)}\nmore`)], "").split("\n")
  expect(said).toBe(`| a client | a\\|b | passed | x\\|y${"z".repeat(156)} |`)
})
