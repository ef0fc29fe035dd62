/**
 * aiokafka and kafka-python from PyPI, in an environment of their own: tools/python holds what each of them does.
 */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { cached } from "../cache.ts"
import { type Check, execute, Skip } from "./check.ts"

const run = promisify(execFile)

const PROGRAMS = path.resolve(import.meta.dirname, "../../python")
const CLIENTS = { aiokafka: "0.14.0", "kafka-python": "3.0.12" } as const
/** What they need for the codecs; pinned, as the environment is kept under the names of all. */
const CODECS = ["cramjam==2.14.0", "lz4==4.4.5", "python-snappy==0.7.3", "zstandard==0.25.0"]

/** What a client does, as its program names it. */
const SCENARIOS: readonly (readonly [name: string, ...args: string[]])[] = [
  ...["none", "gzip", "snappy", "lz4", "zstd"].map(
    (codec) => [`produces, ${codec}, and consumes in a group`, "codec", codec] as const,
  ),
  ["rebalances a group of two, and of one again", "rebalance"],
  ["commits and aborts transactions with offsets", "transactions"],
  ["creates, describes, alters and deletes", "admin"],
]

export function pythonChecks(brokers: string): Check[] {
  return Object.entries(CLIENTS).flatMap(([client, version]) => {
    const program = path.join(PROGRAMS, `${client.replace("-", "_")}_client.py`)
    return SCENARIOS.map(([name, ...args]) => ({
      client: `${client} ${version}`,
      name,
      run: async () => {
        const { stdout } = await execute(await python(), [program, brokers, ...args])
        return stdout.trim()
      },
    }))
  })
}

async function python(): Promise<string> {
  const packages = [...Object.entries(CLIENTS).map(([name, version]) => `${name}==${version}`), ...CODECS]
  const directory = await cached(`python-${packages.slice(0, 2).join("-").replaceAll("==", "-")}`, async (staging) => {
    try {
      await run("python3", ["-m", "venv", staging])
      await run(path.join(staging, "bin", "python"), ["-m", "pip", "install", "--quiet", ...packages])
    } catch (error) {
      const { message, stderr = "" } = error as Error & { stderr?: string }
      throw new Skip(`the packages do not install: ${(stderr || message).trim().split("\n").at(-1)}`)
    }
  })
  return path.join(directory, "bin", "python")
}
