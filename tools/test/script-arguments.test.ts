/** Scripts say how they are used, and run nothing when they are called wrongly. */
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { expect, test } from "vitest"

const ROOT = path.resolve(import.meta.dirname, "../..")
const SCRIPTS = {
  torture: "tools/src/torture/main.ts",
  compat: "tools/src/compat/main.ts",
  fuzz: "tools/src/fuzz/main.ts",
  soak: "tools/src/soak/main.ts",
  bench: "bench/src/main.ts",
}

const call = (file: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, file), ...args], { encoding: "utf8" })
  return { status, stdout, stderr }
}

test.each(Object.entries(SCRIPTS))("npm run %s -- --help says how it is used", (name, file) => {
  const usage = expect.stringMatching(new RegExp(`^npm run ${name}\\b`))
  expect(call(file, "--help")).toEqual({ status: 0, stdout: usage, stderr: "" })
})

test.each(Object.entries(SCRIPTS))("npm run %s says what is wrong, and how it is used", (name, file) => {
  const said = expect.stringMatching(new RegExp(`^Unknown option '--nonsense'.*\\nnpm run ${name}\\b`))
  expect(call(file, "--nonsense")).toEqual({ status: 2, stdout: "", stderr: said })
})

test("numbers are numbers, and suites are named", () => {
  expect(call(SCRIPTS.torture, "--kills", "many").stderr).toMatch(/^--kills many: expected a whole number\n/)
  expect(call(SCRIPTS.torture, "nonsense")).toMatchObject({ status: 2, stdout: "" })
  expect(call(SCRIPTS.fuzz, "--frames", "1e6").stderr).toMatch(/^--frames 1e6: expected a whole number\n/)
  expect(call(SCRIPTS.bench).stderr).toMatch(/^name a suite\n/)
})
