/**
 * Where a worker thread begins. Compiled code is kept for the next start where the process keeps its own: every thread
 * loads the same modules. Hence nothing else is imported before.
 */
import { enableCompileCache } from "node:module"
import { workerData } from "node:worker_threads"
import type { ThreadData } from "./messages.ts"

const { compileCache } = workerData as ThreadData
if (compileCache !== undefined) enableCompileCache(compileCache)
await import("./member.ts")
