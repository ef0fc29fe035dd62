/**
 * Loading a module that exports pipelines.
 */
import { existsSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { isPipeline, type Pipeline } from "@millrace/streams"
import { Failure } from "./command.ts"

/** Every pipeline that the module exports, each once. Fails with a line that names the file when there is none. */
export async function loadPipelines(file: string): Promise<Pipeline<never>[]> {
  const absolute = path.resolve(file)
  if (!existsSync(absolute)) throw new Failure(`cannot read ${file}: no such file`)
  let exports: Record<string, unknown>
  try {
    exports = (await import(pathToFileURL(absolute).href)) as Record<string, unknown>
  } catch (error) {
    throw new Failure(`cannot load ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  const pipelines = [...new Set(Object.values(exports).filter((value) => isPipeline(value)))] as Pipeline<never>[]
  if (pipelines.length === 0) {
    throw new Failure(`${file} exports no pipeline: export one with  export default S.pipeline("name", () => …)`)
  }
  return pipelines
}
