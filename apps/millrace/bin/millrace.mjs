#!/usr/bin/env node
// Written for any Node: an old one must reach the line that says so. Loads the sources in the repository, what
// was compiled from them when installed, and keeps compiled code between starts.

const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `millrace needs Node >= 22.19, this is ${process.versions.node}. In the repository use: npm exec millrace -- ${process.argv.slice(2).join(" ")}`,
  )
  process.exit(1)
}
boundHeap()
// Not imported statically: a process that is about to start over needs neither, and they are a fifth of its time.
const [{ existsSync }, { enableCompileCache }] = [await import("node:fs"), await import("node:module")]
enableCompileCache?.()
const source = new URL("../src/main.ts", import.meta.url)
await import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href)

/**
 * A server that runs for long ends up with more of V8's pages than it needs, and keeps them: as large a young generation as V8 allows,
 * tens of megabytes on a large machine, nearly empty; and, as it reckons every few minutes that garbage is better collected
 * late, what the old generation took then. V8 takes bounds only as it starts, so the process starts over in place, where
 * the system can do that: same process id, some 20 ms. (A shebang with `env -S` is not understood everywhere, and not seen by
 * who runs node itself.) Whoever sets a bound has the last word. A parent that talks to us over a channel would lose it.
 */
function boundHeap() {
  const servers = ["broker", "up", "registry", "connect"]
  const bounds = { "--max-semi-space-size": 8, "--heap-growing-percent": 100 }
  const given = [process.env.NODE_OPTIONS ?? "", ...process.execArgv].map((option) => option.replaceAll("_", "-"))
  const missing = Object.entries(bounds).filter(([flag]) => !given.some((option) => option.includes(flag)))
  if (missing.length === 0 || process.execve === undefined || process.channel || !servers.includes(process.argv[2]))
    return
  const flags = [...process.execArgv, ...missing.map(([flag, bound]) => `${flag}=${bound}`)]
  try {
    process.execve(process.execPath, [process.execPath, ...flags, ...process.argv.slice(1)], process.env)
  } catch {
    // Not on this system, or not allowed (Node's permissions): it runs without the bounds.
  }
}
