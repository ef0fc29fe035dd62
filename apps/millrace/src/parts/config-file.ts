import { parseProperties } from "@millrace/config"
import { nodeDisk } from "@millrace/host/node"
import { Failure } from "../command.ts"

/** The settings of a properties file; none when no file was named. */
export function configFile(path: string | undefined): Record<string, string> {
  if (path === undefined) return {}
  const content = nodeDisk.readFile(path)
  if (content === undefined) throw new Failure(`cannot read ${path}: no such file`)
  return parseProperties(Buffer.from(content).toString("utf8"), path)
}
