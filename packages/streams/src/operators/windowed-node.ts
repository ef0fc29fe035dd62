/**
 * The node of an aggregate over windows: which operator it is, and which stores it has.
 *
 * Windows that are emitted when they close have a timer each, under `<name>-closing` or, of sessions, `<name>-ends`.
 * How long rows stay to be read is the store's retention: at least for as long as a record may change them, longer where the
 * aggregate says so. What is late, and what is emitted when, goes by the windows alone.
 */
import { type Duration, durationMs } from "../dsl/duration.ts"
import { lateParts } from "../dsl/late-to.ts"
import { closesAfterMs, isUnlimited, type Windows } from "../dsl/windows.ts"
import { PipelineError } from "../errors.ts"
import { packed } from "../serde/packed.ts"
import { timedList } from "../serde/timed-list.ts"
import type { LogicalNode, makeNode, StoreSpec } from "../topology/node.ts"
import { sessionAggregateOperator } from "./session-aggregate.ts"
import { slidingAggregateOperator } from "./sliding-aggregate.ts"
import { windowAggregateOperator } from "./window-aggregate.ts"

type NodeInput = Parameters<typeof makeNode>[0]

/** `store` is that of an aggregate without windows; `what` names the aggregate. */
export function windowedNode(
  what: string,
  windows: Windows,
  common: Omit<NodeInput, "operator">,
  store: StoreSpec,
  retention?: Duration,
): NodeInput {
  const { _kind, lateTo, ...rest } = windows
  const late = lateParts(lateTo)
  const options = { ...rest, ...late.options, closesAfterMs: closesAfterMs(windows) }
  const retentionMs = retentionMsOf(what, windows, retention)
  // The windowed key has no serde of its own: mapRecord or keyBy makes one that has.
  const node = { ...common, options, functions: { ...common.functions, ...late.functions }, key: undefined }
  const timers = (what: string): StoreSpec => ({
    name: `${store.name}-${what}`,
    kind: "timer",
    key: store.key,
    value: undefined,
  })
  const closing = windows.emit === "on-window-close" ? [timers("closing")] : []
  const byKey = { ...store, value: timedList(store.value ?? packed), retentionMs }
  if (windows._kind === "session")
    return { ...node, operator: sessionAggregateOperator, stores: [byKey, timers("ends")] }
  if (windows._kind === "sliding")
    return { ...node, operator: slidingAggregateOperator, stores: [byKey, timers("ends"), ...closing] }
  return {
    ...node,
    operator: windowAggregateOperator,
    stores: [{ ...store, kind: "window", retentionMs }, ...closing],
  }
}

/** From a window's start, of sessions from their end: for how long a row can be read. */
function retentionMsOf(what: string, windows: Windows, retention: Duration | undefined): number {
  const [span, spanMs] = spanOf(windows)
  const { graceMs } = windows
  // A record that is in time begins sliding windows with what is in windows two differences before them.
  const neededMs = spanMs + graceMs + (windows._kind === "sliding" ? 2 * spanMs + 2 : 0)
  if (retention === undefined) return neededMs
  if (windows._kind === "time" && isUnlimited({ ...windows }))
    throw new PipelineError(`${what}: an unlimited window is kept for ever: leave out the retention`)
  const retentionMs = durationMs(`${what} retention`, retention)
  if (retentionMs < spanMs + graceMs) {
    throw new PipelineError(
      `${what}: a retention of ${retentionMs} ms is less than ${span} and grace, ${spanMs} ms and ${graceMs} ms`,
    )
  }
  return Math.max(neededMs, retentionMs)
}

function spanOf(windows: Windows): readonly [span: string, ms: number] {
  if (windows._kind === "time") return ["size", windows.sizeMs]
  return windows._kind === "sliding" ? ["difference", windows.differenceMs] : ["gap", windows.gapMs]
}

/** The aggregate whose windows the keys of a table are; undefined where they are no windows. */
export function windowsOf(node: LogicalNode): LogicalNode | undefined {
  if (typeof node.options["closesAfterMs"] === "number") return node
  return node.inputs[0] && windowsOf(node.inputs[0])
}
