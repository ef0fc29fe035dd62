import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { nodeDisk } from "../src/node/index.ts"

const lockPath = () => path.join(mkdtempSync(path.join(tmpdir(), "millrace-lock-")), ".lock")

/** Another process that takes the lock, or not, and says so. */
async function startOther(file: string) {
  const script = `
    import { nodeDisk } from ${JSON.stringify(path.resolve(import.meta.dirname, "../src/node/index.ts"))}
    console.log(JSON.stringify(nodeDisk.lock(${JSON.stringify(file)})))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const [line] = await once(child.stdout, "data")
  const kill = async () => {
    child.kill("SIGKILL")
    await once(child, "exit")
  }
  return { lock: JSON.parse(String(line)) as unknown, pid: child.pid, kill }
}

const byProcess = (pid: number | undefined) => ({
  held: false,
  holder: process.platform === "linux" ? `process ${pid}` : expect.stringContaining("another process"),
})

describe("a lock on the real disk", () => {
  it("excludes others, here and elsewhere, until it is released", async () => {
    const file = lockPath()
    const first = nodeDisk.lock(file)
    expect(first.held).toBe(true)
    expect(nodeDisk.lock(file)).toEqual(byProcess(process.pid))
    // The attempt before, in this process, must not have cost it the lock.
    const other = await startOther(file)
    expect(other.lock).toEqual(byProcess(process.pid))
    await other.kill()
    if (first.held) first.release()
    const second = nodeDisk.lock(file)
    expect(second.held).toBe(true)
    // Once released it is another's.
    if (first.held) first.release()
    expect(nodeDisk.lock(file).held).toBe(false)
  })

  it("is not held by a process that was killed", async () => {
    const file = lockPath()
    const other = await startOther(file)
    expect(other.lock).toEqual({ held: true })
    expect(nodeDisk.lock(file)).toEqual(byProcess(other.pid))
    await other.kill()
    expect(nodeDisk.lock(file).held).toBe(true)
  })

  it("is not intact once its file was removed, and another may have it", () => {
    const file = lockPath()
    const lock = nodeDisk.lock(file)
    if (!lock.held) expect.unreachable()
    expect(lock.isIntact()).toBe(true)
    rmSync(file)
    expect(lock.isIntact()).toBe(false)
    const other = nodeDisk.lock(file)
    if (!other.held) expect.unreachable()
    expect([lock.isIntact(), other.isIntact()]).toEqual([false, true])
    lock.release()
    expect([nodeDisk.lock(file).held, other.isIntact()]).toEqual([false, true])
  })

  it("leaves no file but its own", () => {
    const file = lockPath()
    const lock = nodeDisk.lock(file)
    expect(readdirSync(path.dirname(file))).toEqual([".lock"])
    if (lock.held) lock.release()
    expect(readdirSync(path.dirname(file))).toEqual([".lock"])
  })

  it("is not taken on a file that somebody wrote", () => {
    const file = lockPath()
    writeFileSync(file, "4194304 1")
    expect(() => nodeDisk.lock(file)).toThrow(`cannot lock ${file}: it is not empty, so no lock: remove it`)
  })

  it("says why there can be none", () => {
    const file = lockPath()
    expect(() => nodeDisk.lock(`${file}/none/.lock`)).toThrow("no such file or directory")
    writeFileSync(file, "")
    expect(() => nodeDisk.lock(`${file}/.lock`)).toThrow("a part of the path is not a directory")
  })
})
