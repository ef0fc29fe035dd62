/**
 * Metadata record of the migration from ZooKeeper. Kafka 4 no longer migrates; logs of clusters that did still hold it.
 */
import { int8 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ZkMigrationStateRecord = record(21, "ZkMigrationStateRecord", "0", "0+", {
  zkMigrationState: int8("0+"),
})
export type ZkMigrationStateRecord = Decoded<typeof ZkMigrationStateRecord>
