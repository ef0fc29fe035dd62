/**
 * What becomes of a commit whose outcome is unknown while the cluster cannot be asked.
 */
import { CommitOutcomeUnknown, TimeoutError } from "@millrace/client"
import { expect, test } from "vitest"
import type { TransactionalOutput } from "../../src/run/ports.ts"
import { TaskSet } from "../../src/run/task-set.ts"
import { encodeMetadata } from "../../src/task/offset-metadata.ts"
import { newTaskMetrics } from "../../src/task/metrics.ts"
import type { CommittableOffset, Task } from "../../src/task/task.ts"

/** A task with one input, dirty until it is merged or rolled back. */
class FakeTask {
  readonly log: string[] = []
  readonly stores = new Map()
  readonly group = { queues: [{ topic: "in", partition: 0, position: 0 }], isReady: true }
  readonly isBlocked = false
  readonly name: string
  readonly metrics = newTaskMetrics()
  isDirty = true
  constructor(name: string) {
    this.name = name
  }
  queue(topic: string) {
    return topic === "in" ? this.group.queues[0] : undefined
  }
  process() {
    this.log.push("process")
    return 1
  }
  async drain() {}
  close() {}
  drained() {}
  async stage(transaction: string): Promise<CommittableOffset[]> {
    const metadata = encodeMetadata({ transaction, cells: {}, upstream: {} })
    return [{ topic: "in", partition: 0, offset: 7, metadata }]
  }
  merge() {
    this.log.push("merge")
    this.isDirty = false
  }
  rollback(position: (topic: string, partition: number) => number) {
    this.log.push(`rollback to ${position("in", 0)}`)
    this.isDirty = false
  }
}

function setUp(isCommitted: boolean) {
  let sent: readonly CommittableOffset[] = []
  const cluster = { isDown: true }
  const output = {
    flush: async () => {},
    sendOffsets: async (offsets: readonly CommittableOffset[]) => void (sent = offsets),
    commit: async () => {
      throw new CommitOutcomeUnknown("no answer")
    },
    abort: async () => {
      throw new Error("an unknown outcome is not aborted")
    },
    recover: async () => {
      if (cluster.isDown) throw new TimeoutError("down")
    },
  } as unknown as TransactionalOutput
  const tasks = new TaskSet({
    output,
    cluster: { committed: async () => new Map(isCommitted ? [["in-0", sent[0]!]] : []) } as never,
    transactionPrefix: "p",
    now: () => 0,
    onRewind: () => {},
  })
  const task = new FakeTask("0_0")
  tasks.add(task as unknown as Task)
  return { tasks, task, cluster }
}

test.each([
  [true, "committed", ["merge"]],
  [false, "aborted", ["rollback to 0"]],
] as const)(
  "E7: rule 6: an unknown outcome stays unknown until the cluster says it (committed: %s)",
  async (is, outcome, log) => {
    const { tasks, task, cluster } = setUp(is)
    await expect(tasks.commit()).rejects.toThrow("down")
    await expect(tasks.abort()).rejects.toThrow("down")
    // Ready would mean that the worker asks for records again and again, without a rest.
    expect([task.log, tasks.process(1), tasks.isDirty, tasks.isReady]).toEqual([[], 0, true, false])
    cluster.isDown = false
    expect(await tasks.commit()).toBe(outcome)
    expect([task.log, tasks.isDirty, tasks.isReady]).toEqual([log, false, true])
  },
)

test("E7: rule 6: an abort finds the outcome out first", async () => {
  const { tasks, task, cluster } = setUp(true)
  await expect(tasks.commit()).rejects.toThrow("down")
  cluster.isDown = false
  await tasks.abort()
  expect(task.log).toEqual(["merge"])
})

test("E7: a task that went before the outcome was known is not touched by it", async () => {
  const { tasks, task, cluster } = setUp(true)
  await expect(tasks.commit()).rejects.toThrow("down")
  tasks.remove("0_0")
  const successor = new FakeTask("0_0")
  successor.isDirty = false
  tasks.add(successor as unknown as Task)
  cluster.isDown = false
  await tasks.commit()
  expect([task.log, successor.log]).toEqual([[], []])
})
