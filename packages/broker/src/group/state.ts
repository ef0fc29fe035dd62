/**
 * The states of a classic group, as Kafka names them, and what follows what.
 *
 *     Empty ──join──> PreparingRebalance ──all joined──> CompletingRebalance ──leader synced──> Stable
 *       ^                │       ^                          │                                    │
 *       └── nobody left ─┘       └──── join, leave, expiry ─┴────────────────────────────────────┘
 *
 * Dead is a group that is deleted or was never there; a coordinator keeps no object for it.
 */
export const groupStates = ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"] as const

export type GroupState = (typeof groupStates)[number]

export const nextStates: Record<GroupState, readonly GroupState[]> = {
  Empty: ["PreparingRebalance", "Dead"],
  PreparingRebalance: ["CompletingRebalance", "Empty", "Dead"],
  CompletingRebalance: ["Stable", "PreparingRebalance", "Dead"],
  Stable: ["PreparingRebalance", "Dead"],
  Dead: [],
}

/** Whether a rebalance can start: not while one gathers its members already. */
export function canRebalance(state: GroupState): boolean {
  return nextStates[state].includes("PreparingRebalance")
}
