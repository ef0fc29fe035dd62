import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { nodeDisk } from "../src/node/index.ts"

const lockPath = () => path.join(mkdtempSync(path.join(tmpdir(), "millrace-lock-")), ".lock")

describe("a lock on the real disk", () => {
  it("excludes a second holder until it is released", () => {
    const file = lockPath()
    const first = nodeDisk.lock(file)
    expect(first.held).toBe(true)
    expect(nodeDisk.lock(file)).toEqual({ held: false, holder: `process ${process.pid}` })
    if (first.held) first.release()
    expect(nodeDisk.lock(file).held).toBe(true)
  })

  it("is not held by a process that was killed", async () => {
    const file = lockPath()
    const script = `
      import { nodeDisk } from ${JSON.stringify(path.resolve(import.meta.dirname, "../src/node/index.ts"))}
      console.log(nodeDisk.lock(${JSON.stringify(file)}).held)
      setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const [line] = await once(holder.stdout, "data")
    expect(String(line).trim()).toBe("true")
    expect(nodeDisk.lock(file)).toEqual({ held: false, holder: `process ${holder.pid}` })
    holder.kill("SIGKILL")
    await once(holder, "exit")
    expect(nodeDisk.lock(file).held).toBe(true)
  })

  it("is not held by another process that got the same id", () => {
    const file = lockPath()
    writeFileSync(file, `${process.pid} 1`)
    expect(nodeDisk.lock(file).held).toBe(true)
  })

  it("leaves no file beside the lock", () => {
    const file = lockPath()
    writeFileSync(file, "4194304 1")
    const lock = nodeDisk.lock(file)
    expect(readdirSync(path.dirname(file))).toEqual([".lock"])
    if (lock.held) lock.release()
    expect(readdirSync(path.dirname(file))).toEqual([])
  })
})
