/**
 * Faults in partitions and coordinators: what is answered when, who may write, what a restart takes up again.
 */
import type { Mutant } from "../mutant.ts"

const suite = "broker"
const FETCH_READ = "packages/broker/src/partition/fetch-read.ts"
const RUNNER = "packages/broker/src/coordinator/runner.ts"
const TRANSACTION_SHARD = "packages/broker/src/transaction/shard.ts"
const OFFSET_STORE = "packages/broker/src/group/offset-store.ts"

export const BROKER_MUTANTS: readonly Mutant[] = [
  {
    name: "high-watermark-ahead-of-disk",
    fault: "With flush.messages=1 readers and answers do not wait for the device.",
    file: "packages/broker/src/partition/partition.ts",
    find: "this.flushesFirst ? Math.min(end, log.recoveryPoint) : end",
    replace: "end",
    suite,
  },
  {
    name: "acks-before-commit",
    fault: "acks=all is answered without waiting for the high watermark.",
    file: "packages/broker/src/api/produce.ts",
    find: "if (all ? next <= partition.highWatermark : !partition.flushesFirst) return",
    replace: "if (next > 0) return",
    suite,
  },
  {
    name: "replies-before-commit",
    fault: "A coordinator answers before its records are committed.",
    file: RUNNER,
    find: "if (log.highWatermark(partition) >= offset && this.#deferred.length === 0) {",
    replace: "if (offset >= 0) {",
    suite,
  },
  {
    name: "last-stable-offset-ignored",
    fault: "read_committed reads up to the high watermark.",
    file: FETCH_READ,
    find: "const endOffset = readCommitted ? lastStableOffset : highWatermark",
    replace: "const endOffset = highWatermark",
    suite,
  },
  {
    name: "last-stable-offset-off-by-one",
    fault: "The first record of the earliest open transaction is served to read_committed.",
    file: "packages/storage/src/log.ts",
    find: "return Math.max(first, Math.min(this.#logStartOffset, highWatermark))",
    replace: "return first + 1",
    suite,
  },
  {
    name: "aborted-list-missing",
    fault: "A fetch says nothing of aborted transactions.",
    file: FETCH_READ,
    find: "abortedTransactions: abortedIn(log, read.bytes, endOffset)",
    replace: "abortedTransactions: []",
    suite,
  },
  {
    name: "prepared-not-taken-up",
    fault: "A decided transaction's markers are not sent again after a restart.",
    file: TRANSACTION_SHARD,
    find: "if (isPrepared(metadata.state)) sendMarkers(metadata, out)",
    replace: "",
    suite,
  },
  {
    name: "marker-skips-a-topic-at-restart",
    fault: "After a restart one topic of a decided transaction gets no markers.",
    file: TRANSACTION_SHARD,
    find: "if (isPrepared(metadata.state)) sendMarkers(metadata, out)",
    replace:
      "if (isPrepared(metadata.state)) sendMarkers({ ...metadata, partitions: new Map([...metadata.partitions].slice(1)) }, out)",
    suite,
  },
  {
    name: "epoch-not-checked",
    fault: "The coordinator takes requests of a producer that was fenced.",
    file: "packages/broker/src/transaction/add-partitions.ts",
    find: "return metadata.producerEpoch === claim.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED",
    replace: "return ErrorCode.NONE",
    suite,
  },
  {
    name: "open-transaction-survives-successor",
    fault: "A new producer of a transactional id leaves the old one's transaction open.",
    file: "packages/broker/src/transaction/init-producer-id.ts",
    find: `  if (existing.state === "Ongoing") {`,
    replace: `  if (existing.state === ("Never" as string)) {`,
    suite,
  },
  {
    name: "timeout-not-rearmed",
    fault: "After a restart open transactions have no timeout any more.",
    file: TRANSACTION_SHARD,
    find: `if (metadata.state === "Ongoing") armTimeout(metadata, now, out)`,
    replace: "",
    suite,
  },
  {
    name: "sequences-not-checked",
    fault: "Batches are appended whatever their sequence.",
    file: "packages/storage/src/producer-state.ts",
    find: "if (options.checkSequence) {",
    replace: "if (false) {",
    suite,
  },
  {
    name: "pending-offsets-visible",
    fault: "Offsets of an open transaction count as committed.",
    file: OFFSET_STORE,
    find: "if (producerId === undefined) {\n      this.#committed",
    replace: "if (true) {\n      this.#committed",
    suite,
  },
  {
    name: "aborted-offsets-committed",
    fault: "An abort marker makes pending offsets visible.",
    file: OFFSET_STORE,
    find: "if (commit && (current === undefined",
    replace: "if ((current === undefined",
    suite,
  },
  {
    name: "unstable-offsets-answered",
    fault: "A consumer that wants stable offsets gets the last committed ones at once.",
    file: "packages/broker/src/group/offset-fetch.ts",
    find: "if (requireStable && shard",
    replace: "if (requireStable && groupId === topic && shard",
    suite,
  },
  {
    name: "membership-not-checked",
    fault: "TxnOffsetCommit is taken from members that the group has dropped.",
    file: "packages/broker/src/group/offset-commit.ts",
    find: "return claimsMembership(committer) ? validateMember(group, committer) : ErrorCode.NONE",
    replace: "return ErrorCode.NONE",
    suite,
  },
  {
    name: "coordinator-log-not-replayed",
    fault: "After a restart coordinators begin with an empty state.",
    file: RUNNER,
    find: "this.#load(this.#options.log.logStartOffset(this.#options.partition))",
    replace: "this.#load(this.#options.log.logEndOffset(this.#options.partition))",
    suite,
  },
  {
    name: "metadata-not-flushed",
    fault: "The metadata log answers before its records are durable.",
    file: "packages/broker/src/controller/metadata-log.ts",
    find: "if (flush) this.#flush()",
    replace: "",
    suite,
  },
  {
    name: "dropped-member-commits",
    fault: "OffsetCommit is taken from members that the group has dropped.",
    file: "packages/broker/src/group/offset-commit.ts",
    find: "return error === ErrorCode.NONE ? commitInState[group.state] : error",
    replace: "return ErrorCode.NONE",
    suite,
  },
]
