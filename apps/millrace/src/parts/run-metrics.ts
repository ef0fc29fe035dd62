import { prometheusText, type Running } from "@millrace/streams"
import type { Watched } from "./metrics.ts"

/** All pipelines of a process: it is ready when each of them processes records. */
export function watchRuns(handles: readonly Running[]): Watched {
  return {
    metrics: () => prometheusText(new Map(handles.map((handle) => [handle.applicationId, handle.metrics()]))),
    problem: () => {
      const waiting = handles.filter((handle) => handle.state() !== "running")
      if (waiting.length === 0) return undefined
      return waiting.map((handle) => `${handle.applicationId} is ${handle.state()}`).join(", ")
    },
  }
}
