/** The rules of tests that are about something else. */
import type { AssignmentRules } from "../../src/assignment/assignment.ts"

export const RULES: AssignmentRules = {
  standbyReplicas: 1,
  acceptableRecoveryLag: 100,
  maxWarmupReplicas: 2,
  rackAwareAssignmentTags: [],
  rackAwareAssignmentStrategy: "none",
  rackAwareAssignmentTrafficCost: 10,
  rackAwareAssignmentNonOverlapCost: 1,
}
