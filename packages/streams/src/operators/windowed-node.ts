/**
 * The node of an aggregate over windows: which operator it is, and which stores it has.
 *
 * Windows that are emitted when they close have a timer each, under `<name>-closing` or, of sessions, `<name>-ends`.
 */
import { lateParts } from "../dsl/late-to.ts"
import { closesAfterMs, type Windows } from "../dsl/windows.ts"
import { packed } from "../serde/packed.ts"
import { timedList } from "../serde/timed-list.ts"
import type { LogicalNode, makeNode, StoreSpec } from "../topology/node.ts"
import { sessionAggregateOperator } from "./session-aggregate.ts"
import { slidingAggregateOperator } from "./sliding-aggregate.ts"
import { windowAggregateOperator } from "./window-aggregate.ts"

type NodeInput = Parameters<typeof makeNode>[0]

/** `store` is that of an aggregate without windows. */
export function windowedNode(windows: Windows, common: Omit<NodeInput, "operator">, store: StoreSpec): NodeInput {
  const { _kind, lateTo, ...rest } = windows
  const late = lateParts(lateTo)
  const options = { ...rest, ...late.options, closesAfterMs: closesAfterMs(windows) }
  // The windowed key has no serde of its own: mapRecord or keyBy makes one that has.
  const node = { ...common, options, functions: { ...common.functions, ...late.functions }, key: undefined }
  const timers = (what: string): StoreSpec => ({
    name: `${store.name}-${what}`,
    kind: "timer",
    key: store.key,
    value: undefined,
  })
  const closing = windows.emit === "on-window-close" ? [timers("closing")] : []
  const byKey = { ...store, value: timedList(store.value ?? packed) }
  if (windows._kind === "session")
    return { ...node, operator: sessionAggregateOperator, stores: [byKey, timers("ends")] }
  if (windows._kind === "sliding")
    return { ...node, operator: slidingAggregateOperator, stores: [byKey, timers("ends"), ...closing] }
  const retentionMs = windows.sizeMs + windows.graceMs
  return {
    ...node,
    operator: windowAggregateOperator,
    stores: [{ ...store, kind: "window", retentionMs }, ...closing],
  }
}

/** The aggregate whose windows the keys of a table are; undefined where they are no windows. */
export function windowsOf(node: LogicalNode): LogicalNode | undefined {
  if (typeof node.options["closesAfterMs"] === "number") return node
  return node.inputs[0] && windowsOf(node.inputs[0])
}
