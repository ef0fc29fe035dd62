import { spawnSync } from "node:child_process"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { nodeDisk } from "../src/node/index.ts"
import { diskConformance } from "./conformance/disk.ts"

const freshDirectory = () => mkdtempSync(path.join(tmpdir(), "millrace-disk-"))

describe("the real disk", () => {
  diskConformance(nodeDisk, freshDirectory)

  it("does not try for ever to make a directory in one that was removed", () => {
    const directory = freshDirectory()
    const script = `
      import { nodeDisk } from ${JSON.stringify(path.resolve(import.meta.dirname, "../src/node/index.ts"))}
      process.chdir(${JSON.stringify(directory)})
      nodeDisk.remove(${JSON.stringify(directory)})
      try {
        nodeDisk.makeDirectory("./a")
      } catch (error) {
        console.log(error.message)
      }`
    const { stdout } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
      timeout: 20_000,
      encoding: "utf8",
    })
    expect(stdout).toBe("cannot create directory ./a: the directory above it takes none, or was removed\n")
  })
})
