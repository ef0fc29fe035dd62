/**
 * What processes did and were told, after the history of Jepsen's checker for Kafka (reference/broker.md, section 5): each
 * operation is a transaction of sends and polls, and ends in one of three ways.
 *
 *     ok     committed
 *     info   the commit was sent, and nobody knows what became of it
 *     fail   never committed
 *
 * A key is a topic's partition; values are unique. Reads of failed transactions count all the same: what was read was read.
 */
export interface Send {
  readonly key: string
  readonly value: string
  /** Where it was acknowledged; undefined when it was not. */
  readonly offset: number | undefined
}

export interface Read {
  readonly offset: number
  readonly value: string
}

export interface Poll {
  readonly key: string
  readonly reads: readonly Read[]
}

export type MicroOperation = { readonly send: Send } | { readonly poll: Poll }

export interface Operation {
  readonly process: string
  readonly type: "ok" | "info" | "fail"
  readonly steps: readonly MicroOperation[]
  /** The process set its positions anew before it: its polls go on from nowhere. */
  readonly isRepositioned: boolean
}

/** All operations, each process's in its order. */
export type History = readonly Operation[]

export const sendsOf = ({ steps }: Operation): Send[] => steps.flatMap((step) => ("send" in step ? [step.send] : []))
export const pollsOf = ({ steps }: Operation): Poll[] => steps.flatMap((step) => ("poll" in step ? [step.poll] : []))

/** By process, its operations in order. */
export function processes(history: History): Map<string, Operation[]> {
  return Map.groupBy(history, ({ process }) => process)
}
