export { type EmbeddedBroker, embeddedBroker, type EmbeddedBrokerOptions } from "./embedded-broker.ts"
export { ForgetfulEngine, ForgetfulEngines } from "./forgetful-engine.ts"
export { COMMIT_STEPS, type CommitStep, type FaultKind } from "./memory-cluster.ts"
export {
  type OutputRecord,
  type SentRecord,
  type StoredRow,
  TestDriver,
  type TestDriverOptions,
} from "./test-driver.ts"
export { VirtualClock } from "./virtual-clock.ts"
