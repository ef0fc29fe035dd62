/**
 * What is told of stores that are behind: figures from its ports, without a cluster.
 */
import { expect, test } from "vitest"
import { storeLags } from "../../src/query/lags.ts"

const followed = (store: string, partition: number, position: number) => ({
  store,
  changelog: { topic: `app-${store}-changelog`, partition },
  position,
})

test("Q10: what runs lacks nothing, what is restored what remains, a copy what is behind its position by now", async () => {
  let copies = [followed("users", 2, 5), followed("users", 3, 5), followed("users-ttl", 2, 0)]
  const asked: string[] = []
  const lags = await storeLags({
    stores: [
      { name: "users", subtopology: 0 },
      { name: "counts", subtopology: 1 },
      { name: "countries", subtopology: undefined },
    ],
    running: () => [{ taskId: { subtopology: 0, partition: 1 } }],
    restoring: () => [
      { task: "1_0", store: "counts", partition: 0, restored: 3, remaining: 9 },
      { task: "1_0", store: "counts-timers", partition: 0, restored: 0, remaining: 1 },
    ],
    followed: () => copies,
    readableEnds: async (partitions) => {
      asked.push(...partitions.map(({ topic, partition }) => `${topic} ${partition}`))
      // While the cluster is asked one copy reads on, one goes, and one comes.
      copies = [followed("users", 2, 15), followed("users", 0, 1)]
      return new Map(partitions.map(({ topic, partition }) => [`${topic}-${partition}`, 17]))
    },
  })
  expect(asked).toEqual(["app-users-changelog 2", "app-users-changelog 3", "app-users-ttl-changelog 2"])
  expect(lags).toEqual([
    { store: "counts", partition: 0, role: "restoring", lag: 9 },
    { store: "users", partition: 1, role: "active", lag: 0 },
    { store: "users", partition: 2, role: "standby", lag: 2 },
  ])
})
