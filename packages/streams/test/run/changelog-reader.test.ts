/** How changelogs are read for copies while a task is restored. */
import { nodeHost } from "@millrace/host/node"
import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { ChangelogReader } from "../../src/run/changelog-reader.ts"
import { Bench, eventually } from "./bench.ts"

test("Q9 Q10: copies wait while a task is restored, and the end that they know tells how old it is", async () => {
  const bench = await Bench.start()
  const [Copied, Restored] = ["log-copied", "log-restored"].map((name) => S.topic(name, { key: string, value: string }))
  const reader = new ChangelogReader(() => bench.client.consumer({ isolation: "read_committed" }))
  const follow = ({ name }: S.Topic<string, string>, isUrgent: boolean) =>
    reader.follow({ topic: name, partition: 0 }, { from: 0, isUrgent, sink: () => {} })
  try {
    await bench.createTopics({ "log-copied": 1, "log-restored": 1 })
    await bench.produce(Copied!, [["k", "v", 0]])
    await bench.produce(Restored!, [["k", "v", 0]])
    const copy = follow(Copied!, false)
    expect(copy.readableEnd).toBeUndefined()
    await eventually("the copy is read", () => copy.position === 1)

    const task = follow(Restored!, true)
    // Of one broker one fetch at a time is asked for: from here on the copy is in none.
    await eventually("the task is restored", () => task.position === 1)
    const since = nodeHost.clock.now()
    await bench.produce(Copied!, [["k", "w", 1]])
    await bench.produce(Restored!, [["k", "w", 1]])
    await eventually("the task is read on", () => task.position === 2 && task.readableEnd!.askedAt > since)
    expect(copy.position).toBe(1)
    expect(copy.readableEnd!.askedAt).toBeLessThanOrEqual(since)

    task.stop()
    await eventually("the copy is read on", () => copy.position === 2 && copy.readableEnd!.askedAt > since)
    expect(copy.readableEnd!.offset).toBe(2)
  } finally {
    await reader.close()
    await bench.close()
  }
})
