/**
 * Connectors: the face for those who write them and for those who run them.
 */
export * from "./connector.ts"
export * from "./data/record.ts"
export * from "./data/schema.ts"
export * from "./log.ts"
export { RateLimit } from "./runtime/rate-limit.ts"
