/**
 * Loading a module that exports pipelines, and as `runOptions` what these need and no command line can say: services of their
 * effects, say.
 */
import { statSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { isPipeline, type Pipeline } from "@millrace/streams"
import type { ModuleOptions } from "@millrace/streams/threads/messages"
import { Failure } from "./command.ts"
import { oneLine, placeOf } from "./fault.ts"

/** Operators stand deep in pipes: the default of ten frames may not reach the module. */
const STACK_FRAMES = 50

export interface PipelineModule {
  /** Each once. */
  readonly pipelines: readonly Pipeline<never>[]
  readonly runOptions: ModuleOptions
}

/** Fails with a line that names the file when it exports no pipeline. */
export async function loadPipelines(file: string): Promise<PipelineModule> {
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
  return { pipelines, runOptions: (exports["runOptions"] ?? {}) as ModuleOptions }
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
