export { type DeadLetter } from "./dead-letter.ts"
export {
  assertCommitBoundariesDoNotMatter,
  type CommitBoundaryOptions,
  type Input,
  inputs,
} from "./commit-boundaries.ts"
export { type Disturbance, disturb } from "./disturbance.ts"
export { type EmbeddedBroker, embeddedBroker, type EmbeddedBrokerOptions } from "./embedded-broker.ts"
export { ForgetfulEngine, ForgetfulEngines } from "./forgetful-engine.ts"
export { COMMIT_STEPS, type CommitStep, FAULT_KINDS, type FaultKind } from "./memory-cluster.ts"
export {
  type DriverMetrics,
  type OutputRecord,
  type SentRecord,
  type StoredRow,
  TestDriver,
  type TestDriverOptions,
} from "./test-driver.ts"
export { VirtualClock } from "@millrace/host/virtual-clock"
