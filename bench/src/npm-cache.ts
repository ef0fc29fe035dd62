/**
 * Peers from npm, installed for benchmarks alone: into the cache where the jars of Kafka are kept too.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { homedir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

export interface NpmPackage {
  readonly name: string
  readonly version: string
  /** Its scripts must run: it is compiled, or fetches what was. */
  readonly env?: Readonly<Record<string, string>>
}

/** The directory of the package, installed when it is asked for first. */
export async function installed({ name, version, env }: NpmPackage): Promise<string> {
  const root = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "millrace")
  const target = path.join(root, `${name.replace("@", "").replace("/", "-")}-${version}`)
  if (!existsSync(target)) {
    await mkdir(root, { recursive: true })
    const staging = await mkdtemp(`${target}-`)
    const flags = ["--no-save", "--no-audit", "--no-fund", ...(env === undefined ? ["--ignore-scripts"] : [])]
    try {
      await run("npm", ["install", "--prefix", staging, ...flags, `${name}@${version}`], {
        env: { ...process.env, ...env },
      })
      // What is compiled may be so for another Node: npm's own, where the headers of this one are not at hand.
      if (env !== undefined)
        await run(process.execPath, ["-e", `require("${path.join(staging, "node_modules", name)}")`])
    } catch (cause) {
      await rm(staging, { recursive: true, force: true })
      throw new Error(`${name} ${version} does not install`, { cause })
    }
    await rename(staging, target)
  }
  return path.join(target, "node_modules", name)
}
