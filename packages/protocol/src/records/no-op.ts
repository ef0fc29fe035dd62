/**
 * Metadata record without content: keeps the metadata log's offset moving so that lag can be seen (KIP-835).
 */
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const NoOpRecord = record(20, "NoOpRecord", "0", "0+", {})
export type NoOpRecord = Decoded<typeof NoOpRecord>
