/**
 * The face for those who write connectors: definitions, records and schemas, without the runtime.
 */
export * from "./connector.ts"
export * from "./data/record.ts"
export * from "./data/schema.ts"
export { iterableTask } from "./iterable-task.ts"
export * from "./log.ts"
export { RateLimit } from "./runtime/rate-limit.ts"
