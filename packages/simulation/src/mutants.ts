/**
 * The committed mutants: each must be caught by its suite within 200 seeds (npm run sim -- --mutants).
 */
import { BROKER_MUTANTS } from "./mutants/broker.ts"
import { CLIENT_MUTANTS } from "./mutants/client.ts"
import { CONSUMER_GROUP_MUTANTS } from "./mutants/consumer-group.ts"
import { LOGS_MUTANTS } from "./mutants/logs.ts"
import { MEMORY_MUTANTS } from "./mutants/memory.ts"
import { STORAGE_MUTANTS } from "./mutants/storage.ts"
import { STREAMS_MUTANTS } from "./mutants/streams.ts"
import { STREAMS_GROUP_MUTANTS } from "./mutants/streams-group.ts"
import type { Mutant } from "./mutant.ts"

export const MUTANTS: readonly Mutant[] = [
  ...STORAGE_MUTANTS,
  ...BROKER_MUTANTS,
  ...MEMORY_MUTANTS,
  ...CLIENT_MUTANTS,
  ...LOGS_MUTANTS,
  ...CONSUMER_GROUP_MUTANTS,
  ...STREAMS_MUTANTS,
  ...STREAMS_GROUP_MUTANTS,
]
