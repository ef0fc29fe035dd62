#!/usr/bin/env node
// Written for any Node: an old one must reach the line that says so. Loads the sources in the repository, what
// was compiled from them when installed, and keeps compiled code between starts.
import { existsSync } from "node:fs"
import * as module from "node:module"

const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `millrace needs Node >= 22.19, this is ${process.versions.node}. In the repository use: npm exec millrace -- ${process.argv.slice(2).join(" ")}`,
  )
  process.exit(1)
}
module.enableCompileCache?.()
const source = new URL("../src/main.ts", import.meta.url)
await import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href)
