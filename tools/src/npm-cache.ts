/**
 * Other people's packages from npm, for benchmarks and compatibility alone: into the cache where Kafka's jars are too.
 */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { cached } from "./cache.ts"

const run = promisify(execFile)

export interface NpmPackage {
  readonly name: string
  readonly version: string
  /** Its scripts must run: it is compiled, or fetches what was. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Its binary comes from GitHub; where that cannot be reached it is compiled against the system's libraries, and the
 * headers that come with this Node.
 */
export const confluentKafka: NpmPackage = {
  name: "@confluentinc/kafka-javascript",
  version: "1.10.1",
  env: { CKJS_LINKING: "dynamic", npm_config_nodedir: path.join(path.dirname(process.execPath), "..") },
}

export const platformaticKafka: NpmPackage = { name: "@platformatic/kafka", version: "2.12.1" }

const directoryOf = ({ name, version }: NpmPackage) => `${name.replace("@", "").replace("/", "-")}-${version}`

/** The directory of the package, installed when it is asked for first. */
export async function installed(wanted: NpmPackage): Promise<string> {
  const { name, version, env } = wanted
  const directory = await cached(directoryOf(wanted), async (staging) => {
    const flags = ["--no-save", "--no-audit", "--no-fund", ...(env === undefined ? ["--ignore-scripts"] : [])]
    try {
      await run("npm", ["install", "--prefix", staging, ...flags, `${name}@${version}`], {
        env: { ...process.env, ...env },
      })
      // What is compiled may be so for another Node: npm's own, where the headers of this one are not at hand.
      if (env !== undefined)
        await run(process.execPath, ["-e", `require("${path.join(staging, "node_modules", name)}")`])
    } catch (cause) {
      throw new Error(`${name} ${version} does not install`, { cause })
    }
  })
  return path.join(directory, "node_modules", name)
}
