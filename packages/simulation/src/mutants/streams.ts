/**
 * Faults in the runtime of streams: the order of a commit, what an abort takes back, what a rebalance waits for, what a
 * restore reads.
 */
import type { Mutant } from "../mutant.ts"

const suite = "streams"
const TASK_SET = "packages/streams/src/run/task-set.ts"
const TASK = "packages/streams/src/task/task.ts"
const WORKER = "packages/streams/src/run/worker.ts"
const STORE = "packages/streams/src/state/store.ts"
const OUTPUT = "packages/streams/src/run/kafka-output.ts"

export const STREAMS_MUTANTS: readonly Mutant[] = [
  {
    name: "changelog-after-commit",
    fault: "A transaction commits before its changelog records are written; they go with the next one.",
    file: TASK,
    find: "this.output.append(store.spec.changelog, this.taskId.partition, timestamp, changelogKey(write), value, headers)",
    replace:
      "setImmediate(() => { try { this.output.append(store.spec.changelog, this.taskId.partition, timestamp, changelogKey(write), value, headers) } catch {} })",
    suite,
  },
  {
    name: "checkpoint-after-commit",
    fault: "Checkpoints of engines are asked for after the commit, when a successor may have written to the changelog.",
    file: TASK_SET,
    find: "await this.#flushEngines(due.filter(({ store }) => stores.has(store)))",
    replace: "await this.#flushEngines(due.length === 0 ? [] : await this.#dueEngines(false))",
    suite,
  },
  {
    name: "overlay-kept-on-abort",
    fault: "An abort leaves the stores' open writes as they are.",
    file: TASK,
    find: "for (const store of this.stores.values()) store.rollback()",
    replace: "",
    suite,
  },
  {
    name: "queues-kept-on-abort",
    fault: "An abort leaves the queues at their positions.",
    file: TASK,
    find: "for (const queue of this.group.queues) queue.reset(positions(queue.topic, queue.partition))",
    replace: "",
    suite,
  },
  {
    name: "no-seek-after-abort",
    fault: "After an abort the consumer reads on from where it was.",
    file: TASK_SET,
    find: "this.#options.onRewind(rewound)",
    replace: "",
    suite,
  },
  {
    name: "time-kept-on-abort",
    fault: "An abort does not take stream time back.",
    file: TASK,
    find: "for (const cell of this.#cells.values()) cell.rollback()",
    replace: "for (const cell of this.#cells.values()) cell.commit()",
    suite,
  },
  {
    name: "time-not-committed",
    fault: "A task's stream time is not in the metadata of its offsets.",
    file: TASK,
    find: "cells: index === 0 ? cells : {}",
    replace: "cells: {}",
    suite,
  },
  {
    name: "producer-not-aborted",
    fault: "An abort takes everything back here, and leaves what was written in the transaction that goes on.",
    file: TASK_SET,
    find: "await this.#options.output.abort()",
    replace: "",
    suite,
  },
  {
    name: "unknown-is-committed",
    fault: "A commit whose outcome is unknown counts as done.",
    file: TASK_SET,
    find: "if (isCommitted) return",
    replace: "return",
    suite,
  },
  {
    name: "unknown-is-aborted",
    fault: "A commit whose outcome is unknown counts as aborted.",
    file: TASK_SET,
    find: "if (isCommitted) return",
    replace: "if (isCommitted && commit.number === '') return",
    suite,
  },
  {
    name: "fenced-is-aborted",
    fault: "A commit that is answered with a fence counts as aborted, though it may have been decided before.",
    file: TASK_SET,
    find: "failure instanceof CommitOutcomeUnknown || failure instanceof ProducerFenced",
    replace: "failure instanceof CommitOutcomeUnknown",
    suite,
  },
  {
    name: "gates-kept-on-abort",
    fault: "What waited for effects when the transaction was aborted goes on waiting.",
    file: TASK,
    find: "for (const gate of this.#gates) gate.clear()",
    replace: "",
    suite,
  },
  {
    name: "repartition-offsets-left-out",
    fault: "Offsets of repartition topics are not committed.",
    file: TASK,
    find: "return [...this.#sources].map(([queue, reader], index) => ({",
    replace:
      'return [...this.#sources].filter(([{ topic }]) => !topic.endsWith("-repartition")).map(([queue, reader], index) => ({',
    suite,
  },
  {
    name: "batch-position-committed",
    fault: "The offset of a partition is that of the batch at hand, not of the record.",
    file: "packages/streams/src/task/record-queue.ts",
    find: "return this.head === undefined ? this.#position : this.head.offset",
    replace: "return this.#position",
    suite,
  },
  {
    name: "revoked-without-commit",
    fault: "Tasks that go are not committed first; what they wrote stays in the open transaction.",
    file: WORKER,
    find: "if (!this.#tasks.isCommitDue(leaving)) return",
    replace: "return",
    suite,
  },
  {
    name: "no-generation",
    fault: "Offsets are sent without the group's generation, so that a zombie's are accepted.",
    file: OUTPUT,
    find: "await this.#producer.sendOffsetsToTransaction(offsets, this.#options.groupMetadata())",
    replace:
      'await this.#producer.sendOffsetsToTransaction(offsets, { ...this.#options.groupMetadata(), groupInstanceId: null, memberId: "", generationId: -1 })',
    suite,
  },
  {
    name: "restore-to-the-stable-end",
    fault:
      "A restore ends where committed records end, and misses a transaction that is being completed (KAFKA-10167).",
    file: "packages/streams/src/run/kafka-reader.ts",
    find: 'endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {\n    return this.#list(partitions, OffsetSpec.latest, "read_uncommitted")',
    replace:
      'endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {\n    return this.#list(partitions, OffsetSpec.latest, "read_committed")',
    suite,
  },
  {
    name: "restore-trusts-the-engine",
    fault: "A restore does not read the changelog's tail behind the engine's checkpoint.",
    file: "packages/streams/src/run/restore.ts",
    find: "return { topicId, from: checkpoint.offset, end }",
    replace: "return { topicId, from: end, end }",
    suite,
  },
  {
    name: "merged-before-the-outcome",
    fault: "The transaction's changes count as committed while its outcome is unknown.",
    file: STORE,
    find: "      this.#staged.push({ key, value: stored, timestamp, headers })",
    replace:
      "      this.committed.put(key, stored)\n      this.#staged.push({ key, value: stored, timestamp, headers })",
    suite,
  },
  {
    name: "awaited-not-told",
    fault: "A restarted process does not hear that others wait for its predecessor's tasks.",
    file: "packages/streams/src/run/assignor.ts",
    find: "(notice.awaited || isUnknown || isForeign || isOther)",
    replace: "(isUnknown || isForeign || isOther)",
    suite,
  },
  {
    name: "moving-task-not-withheld",
    fault: "The leader gives a task to its next member while the one before still runs it.",
    file: "packages/streams/src/assignment/assignment.ts",
    find: "tasks.filter((task) => isFree(id, task))",
    replace: "tasks.filter((task) => isFree(id, task) || true)",
    suite,
  },
  {
    name: "effects-cross-the-commit",
    fault: "A commit does not wait for the effects under way.",
    file: TASK_SET,
    find: "steer((await (this.#options.drainWithin?.(pending) ?? pending)) ?? 0)",
    replace: "pending.catch(() => {})",
    suite,
  },
]
