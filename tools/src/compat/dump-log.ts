/**
 * Kafka's DumpLogSegments reads every file of our data directory, with nothing on stderr and no complaint.
 */
import { readdirSync, statSync } from "node:fs"
import * as path from "node:path"
import type { Check } from "./check.ts"
import { kafkaTool } from "./java-tools.ts"

const CLIENT = "DumpLogSegments 4.3.1 (Java)"
const MAIN = "org.apache.kafka.tools.DumpLogSegments"
const COMPLAINTS = /mismatch|non-consecutive|not valid|isvalid: false|Found timestamp|out of order|Exception|corrupt/i
/**
 * With --deep-iteration the tool compares the first offset of every segment but the first with -1. It says the same of
 * segments that Apache Kafka 4.4 wrote (tried), so it says nothing about ours.
 */
const FIRST_OFFSET_COMPLAINT = /^Non-consecutive offsets in \S+\n +-1 is followed by \d+\n?/gm

export function dumpLogChecks(dataDir: string): Check[] {
  const files = filesOf(dataDir)
  const suffixes = [".log", ".index", ".timeindex", ".txnindex", ".snapshot"]
  const ofMetadata = (file: string) => file.includes(`${path.sep}__cluster_metadata-0${path.sep}`)
  return [
    ...suffixes.map((suffix) => ({
      client: CLIENT,
      name: `reads every ${suffix} file`,
      run: async () => {
        const chosen = files.filter((file) => file.endsWith(suffix) && !(suffix === ".log" && ofMetadata(file)))
        if (chosen.length === 0) throw new Error(`the data directory has no ${suffix} file`)
        const filled = chosen.filter((file) => statSync(file).size > 0).length
        await dump(
          chosen,
          suffix === ".log" ? ["--deep-iteration"] : suffix === ".index" ? ["--index-sanity-check"] : [],
        )
        return `${chosen.length} files, ${filled} of them not empty`
      },
    })),
    decoder("offsets", "__consumer_offsets", ["--offsets-decoder"]),
    decoder("transaction log", "__transaction_state", ["--transaction-log-decoder"]),
    decoder("cluster metadata", "__cluster_metadata", ["--cluster-metadata-decoder"]),
    {
      client: CLIENT,
      name: "decodes metadata snapshots",
      run: async () => {
        const chosen = files.filter((file) => file.endsWith(".checkpoint"))
        if (chosen.length === 0) throw new Error("there is no metadata snapshot")
        await dump(chosen, ["--cluster-metadata-decoder"])
        return `${chosen.length} files`
      },
    },
  ]

  function decoder(what: string, topic: string, args: readonly string[]): Check {
    return {
      client: CLIENT,
      name: `decodes the ${what}`,
      run: async () => {
        const chosen = files.filter((file) => file.endsWith(".log") && file.includes(`${path.sep}${topic}-`))
        if (chosen.length === 0) throw new Error(`there is no log of ${topic}`)
        const output = await dump(chosen, args)
        return `${chosen.length} files, ${(output.match(/payload|type:|key:/g) ?? []).length} records decoded`
      },
    }
  }
}

async function dump(files: readonly string[], args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await kafkaTool(MAIN, ["--files", files.join(","), ...args])
  const said = stderr.replace(FIRST_OFFSET_COMPLAINT, "")
  if (said.trim() !== "") throw new Error(`stderr: ${said.slice(0, 1_000)}`)
  const complaint = stdout.split("\n").find((line) => COMPLAINTS.test(line))
  if (complaint !== undefined) throw new Error(complaint.slice(0, 500))
  return stdout
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}
