/** Examples of the pages compile, and their tests pass, as a reader would run them. */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { expect, test } from "vitest"
import { examplesOf } from "../src/page-examples.ts"

const ROOT = path.resolve(import.meta.dirname, "../..")
const GUIDES = readdirSync(`${ROOT}/docs/guides`).map((name) => `docs/guides/${name}`)
/** They have tests of their own. */
const TESTED = ["docs/getting-started.md", ...GUIDES]
const PAGES = [...TESTED, "docs/coming-from-rxjs.md", "docs/security.md"]

const CONFIG = {
  extends: `${ROOT}/tsconfig.test.json`,
  compilerOptions: { types: ["node"], typeRoots: [`${ROOT}/node_modules/@types`] },
  include: ["*/*.ts"],
  references: [],
}

/** Runs a program of the repository there; what it printed is the failure. */
function run(directory: string, program: string, ...args: readonly string[]): void {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")))
  try {
    execFileSync(`${ROOT}/node_modules/.bin/${program}`, args, { cwd: directory, env, stdio: "pipe" })
  } catch (failure) {
    const { stdout, stderr } = failure as { readonly stdout: Buffer; readonly stderr: Buffer }
    throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`, { cause: failure })
  }
}

test("examples compile, and the tests among them pass", { timeout: 300_000 }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-examples-"))
  try {
    for (const page of PAGES) {
      const files = examplesOf(page, readFileSync(`${ROOT}/${page}`, "utf8"))
      if (files.size === 0) continue
      const hasTests = [...files.keys()].some((name) => name.endsWith(".test.ts"))
      expect(hasTests, page).toBe(TESTED.includes(page))
      const folder = path.join(directory, path.basename(page, ".md"))
      mkdirSync(folder)
      for (const [name, code] of files) writeFileSync(`${folder}/${name}`, code)
    }
    symlinkSync(`${ROOT}/node_modules`, `${directory}/node_modules`)
    writeFileSync(`${directory}/package.json`, JSON.stringify({ type: "module" }))
    writeFileSync(`${directory}/tsconfig.json`, JSON.stringify(CONFIG))
    run(directory, "tsc", "-p", ".", "--pretty", "false")
    run(directory, "vitest", "run", "--root", ".")
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("an example is named by the paragraph before it", () => {
  const page = (text: string) => examplesOf("p.md", `# P\n\nFirst.\n\n${text}\n\n\`\`\`ts\nlet a = 1\n\`\`\`\n`)
  expect([...page("In `b.ts`, to run with\n`node a.ts`:")]).toEqual([["a.ts", "let a = 1\n"]])
  expect(() => page("So:")).toThrow(/p\.md: the paragraph before this example names no file/)
})
