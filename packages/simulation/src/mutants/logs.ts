/**
 * Faults in what becomes of logs: compaction, retention, deletion, damage, and the metadata of topics.
 */
import type { Mutant } from "../mutant.ts"

const suite = "logs"
const CLEAN_LOG = "packages/storage/src/cleaner/clean-log.ts"
const CLEAN_BATCH = "packages/storage/src/cleaner/clean-batch.ts"
const LOG = "packages/storage/src/log.ts"
const REPLICAS = "packages/broker/src/replica-manager.ts"

export const LOGS_MUTANTS: readonly Mutant[] = [
  {
    name: "cleaner-keeps-the-oldest",
    fault: "Of a key's values compaction keeps the first instead of the last.",
    file: CLEAN_BATCH,
    find: "return record.offset >= map.get(",
    replace: "return record.offset <= map.get(",
    suite,
  },
  {
    name: "tombstones-kept-for-ever",
    fault: "Compaction never drops a tombstone.",
    file: CLEAN_BATCH,
    find: "const keepsTombstones = horizon === undefined || now < horizon",
    replace: "const keepsTombstones = true",
    suite,
  },
  {
    name: "aborted-values-supersede",
    fault: "A value that was aborted takes the place of the last committed one.",
    file: CLEAN_LOG,
    find: "else if (!transactions.onData(batch) && batch.lastOffset >= from) {",
    replace: "else if (batch.lastOffset >= from) {",
    suite,
  },
  {
    name: "open-transactions-compacted",
    fault: "Compaction goes beyond the last stable offset.",
    file: "packages/storage/src/cleaner/cleanable.ts",
    find: "if (end > lastStableOffset) break",
    replace: "if (end > logEndOffset) break",
    suite,
  },
  {
    name: "damage-cut-as-torn",
    fault: "Recovery cuts a damaged batch off as if a crash had torn it.",
    file: "packages/storage/src/damage.ts",
    find: "if (isWholeBatch(tail, expectedOffset)) return false",
    replace: "if (isWholeBatch(tail, expectedOffset)) return true",
    suite,
  },
  {
    name: "deleted-records-come-back",
    fault: "DeleteRecords does not make the new start durable.",
    file: LOG,
    find: "      this.flush()\n      this.#options.onCheckpointNeeded?.(this)\n",
    replace: "      this.flush()\n",
    suite,
  },
  {
    name: "start-raised-in-vain",
    fault: "A new start stays, in memory, where there was no room to make it durable.",
    file: LOG,
    find: "      this.#logStartOffset = before\n",
    replace: "",
    suite,
  },
  {
    name: "retention-in-a-hurry",
    fault: "Retention deletes records before their time.",
    file: "packages/storage/src/retention.ts",
    find: "now - maxTimestamp > config.retentionMs\n",
    replace: "now - maxTimestamp > config.retentionMs / 4\n",
    suite,
  },
  {
    name: "retention-asleep",
    fault: "Retention leaves alone what it is for.",
    file: "packages/broker/src/background/maintenance.ts",
    find: "if (!deletes) continue",
    replace: "if (deletes) continue",
    suite,
  },
  {
    name: "deleted-topic-stays",
    fault: "The logs of a deleted topic stay on the disk.",
    file: REPLICAS,
    find: "= logDirectory.deleteLogs(logs.map(({ topic, index }) => ({ topic, partition: index })))",
    replace: ": (() => void)[] = []",
    suite,
  },
]
