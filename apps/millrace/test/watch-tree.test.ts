import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { watchTree } from "../src/watch-tree.ts"

test("tells of files that are written, replaced, and new, in directories that are new too", async () => {
  const root = mkdtempSync(path.join(tmpdir(), "millrace-watch-"))
  const at = (name: string) => path.join(root, name)
  mkdirSync(at("parts/deep"), { recursive: true })
  mkdirSync(at("node_modules"))
  writeFileSync(at("a.ts"), "0")
  writeFileSync(at("parts/deep/b.ts"), "0")
  let told = new Set<string>()
  const watched = watchTree(
    root,
    (name) => name === "node_modules",
    (name) => told.add(name),
  )
  onTestFinished(() => {
    watched.close()
    rmSync(root, { recursive: true })
  })
  const isTold = async (name: string, change: () => void) => {
    told = new Set()
    change()
    await expect.poll(() => told, { timeout: 10_000, interval: 5 }).toContain(name)
  }
  const replace = (name: string, text: string) => {
    writeFileSync(at(`${name}~`), text)
    renameSync(at(`${name}~`), at(name))
  }
  for (const [name, text] of [
    ["a.ts", "1"],
    ["parts/deep/b.ts", "1"],
    ["a.ts", "2"],
    ["parts/deep/b.ts", "2"],
  ] as const) {
    await isTold(name, () => replace(name, text))
    await isTold(name, () => writeFileSync(at(name), `${text} in place`))
  }
  writeFileSync(at("node_modules/c.ts"), "0")
  await isTold("more/d.ts", () => {
    mkdirSync(at("more"))
    writeFileSync(at("more/d.ts"), "0")
  })
  await isTold("more/d.ts", () => replace("more/d.ts", "1"))
  // One that goes and comes again.
  rmSync(at("parts"), { recursive: true })
  mkdirSync(at("parts"))
  await isTold("parts/e.ts", () => writeFileSync(at("parts/e.ts"), "0"))
  await isTold("parts/e.ts", () => replace("parts/e.ts", "1"))
  expect([...told]).not.toContain("node_modules/c.ts")
})
