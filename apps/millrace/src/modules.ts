/**
 * Loading a module that exports pipelines.
 */
import { statSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { isPipeline, type Pipeline } from "@millrace/streams"
import { Failure } from "./command.ts"
import { oneLine } from "./fault.ts"

/** Operators stand deep in pipes: the default of ten frames may not reach the module. */
const STACK_FRAMES = 50

/** Every pipeline that the module exports, each once. Fails with a line that names the file when there is none. */
export async function loadPipelines(file: string): Promise<Pipeline<never>[]> {
  const absolute = path.resolve(file)
  requireFile(file, absolute)
  let exports: Record<string, unknown>
  Error.stackTraceLimit = STACK_FRAMES
  try {
    exports = (await import(pathToFileURL(absolute).href)) as Record<string, unknown>
  } catch (error) {
    throw new Failure(`cannot load ${file}${placeOf(error, absolute)}: ${reasonOf(error)}`, { cause: error })
  }
  const pipelines = [...new Set(Object.values(exports).filter((value) => isPipeline(value)))] as Pipeline<never>[]
  if (pipelines.length === 0) {
    throw new Failure(`${file} exports no pipeline: export one with  export default S.pipeline("name", () => …)`)
  }
  return pipelines
}

function requireFile(file: string, absolute: string): void {
  const found = statSync(absolute, { throwIfNoEntry: false })
  if (found === undefined) throw new Failure(`cannot read ${file}: no such file`)
  if (!found.isFile()) throw new Failure(`cannot read ${file}: it is not a file`)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error))
  // The type stripper's code frame is in the message: its first line is the reason.
  const reason = oneLine(error.message)
  return isPlain(error) ? reason : `${error.name}: ${reason}`
}

/** Errors whose class adds nothing to their words. */
const isPlain = (error: Error): boolean => error.name === "Error" || error.name === "PipelineError"

/** `, line N`: where in the module it happened, from the stack. */
function placeOf(error: unknown, absolute: string): string {
  if (!(error instanceof Error) || error.stack === undefined) return ""
  const at = error.stack.indexOf(absolute)
  const line = at < 0 ? undefined : /^:(\d+)/.exec(error.stack.slice(at + absolute.length))?.[1]
  return line === undefined ? "" : `, line ${line}`
}
