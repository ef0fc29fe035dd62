import { afterAll, expect, test } from "vitest"
import { type Assignor, CommitFailed, type MemberAssignment, type TopicPartition } from "../src/index.ts"
import { bytes, fresh, newClient, newTopic, pollUntil, seen, type Seen } from "./cluster.ts"

const client = newClient()
afterAll(() => client.close())

async function fill(topic: string, partitions: number, each: number): Promise<void> {
  const producer = client.producer()
  for (let partition = 0; partition < partitions; partition++) {
    for (let index = 0; index < each; index++)
      producer.append(topic, partition, index, null, bytes(`${partition}:${index}`))
  }
  await producer.flush()
  await producer.close()
}

const names = (partitions: readonly TopicPartition[]): number[] =>
  partitions.map(({ partition }) => partition).toSorted()

test("two members share a topic; what one read and committed the other does not see", async () => {
  const topic = await newTopic(client, 4)
  await fill(topic, 4, 25)
  const groupId = fresh("group")
  const log: string[] = []
  const member = (name: string) => {
    const consumer = client.consumer({
      groupId,
      autoOffsetReset: "earliest",
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 200,
    })
    consumer.subscribe([topic], {
      onAssigned: (partitions) => void log.push(`${name} assigned ${names(partitions)}`),
      // Awaited before the member joins again: the commit still counts.
      onRevoked: async (partitions) => {
        await consumer.commit()
        log.push(`${name} revoked ${names(partitions)}`)
      },
    })
    return consumer
  }
  const first = member("first")
  const records: Seen[] = await pollUntil(first, (all) => all.length >= 100)
  expect(log).toEqual(["first assigned 0,1,2,3"])
  expect(first.groupMetadata().generationId).toBe(1)
  const second = member("second")
  // Both poll until each has its half.
  const deadline = performance.now() + 60_000
  while ((first.assignment().length !== 2 || second.assignment().length !== 2) && performance.now() < deadline) {
    const polled = await Promise.all([first.poll(100), second.poll(100)])
    records.push(...seen(polled.flat()))
  }
  expect(names([...first.assignment(), ...second.assignment()])).toEqual([0, 1, 2, 3])
  expect(log.slice(0, 2)).toEqual(["first assigned 0,1,2,3", "first revoked 0,1,2,3"])
  await fill(topic, 4, 5)
  while (records.length < 120 && performance.now() < deadline) {
    records.push(...seen((await Promise.all([first.poll(100), second.poll(100)])).flat()))
  }
  expect(records.length).toBe(120)
  expect(new Set(records.map(({ partition, offset }) => `${partition}:${offset}`)).size).toBe(120)
  await second.close()
  await pollUntil(first, () => first.assignment().length === 4)
  await first.close()
  expect(log.at(-1)).toBe("first revoked 0,1,2,3")
})

test("heartbeats go on while a callback takes longer than the session", async () => {
  const topic = await newTopic(client, 1)
  const groupId = fresh("group")
  const consumer = client.consumer({ groupId, sessionTimeoutMs: 6000, heartbeatIntervalMs: 300 })
  consumer.subscribe([topic], { onAssigned: () => new Promise((resolve) => setTimeout(resolve, 8000)) })
  await pollUntil(consumer, () => consumer.assignment().length === 1)
  await consumer.poll(500)
  expect(consumer.groupMetadata().generationId).toBe(1)
  await consumer.close()
})

test("a pluggable assignor carries user data both ways", async () => {
  const topic = await newTopic(client, 3)
  const groupId = fresh("group")
  const learned: string[] = []
  const assignor = (name: string): Assignor => ({
    name: "by-user-data",
    protocol: "eager",
    subscriptionUserData: () => bytes(`I am ${name}`),
    assign(cluster, members) {
      const told = members.map((member) => Buffer.from(member.userData!).toString()).toSorted()
      const [chosen, ...others] = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
      const count = cluster.partitionCount(topic)!
      const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
      return new Map<string, MemberAssignment>([
        [chosen!.memberId, { partitions, userData: bytes(told.join("; ")) }],
        ...others.map(({ memberId }) => [memberId, { partitions: [], userData: bytes("nothing") }] as const),
      ])
    },
    onAssignment(partitions, userData, generation) {
      learned.push(`${partitions.length} ${Buffer.from(userData!).toString()} ${generation > 0}`)
    },
  })
  const one = client.consumer({ groupId, assignors: [assignor("one")], heartbeatIntervalMs: 200 })
  one.subscribe([topic])
  await pollUntil(one, () => one.assignment().length === 3)
  expect(learned).toEqual(["3 I am one true"])
  const two = client.consumer({ groupId, assignors: [assignor("two")], heartbeatIntervalMs: 200 })
  two.subscribe([topic])
  const deadline = performance.now() + 60_000
  while (learned.length < 3 && performance.now() < deadline) await Promise.all([one.poll(100), two.poll(100)])
  expect(learned.slice(1).toSorted()).toEqual(["0 nothing true", "3 I am one; I am two true"])
  await Promise.all([one.close(), two.close()])
})

test("a static member comes back to its partitions without a rebalance", async () => {
  const topic = await newTopic(client, 2)
  const groupId = fresh("group")
  const options = {
    groupId,
    groupInstanceId: "instance-1",
    sessionTimeoutMs: 30_000,
    autoOffsetReset: "earliest",
  } as const
  const before = client.consumer(options)
  before.subscribe([topic])
  await pollUntil(before, () => before.assignment().length === 2)
  const { generationId } = before.groupMetadata()
  await before.close()
  const after = client.consumer(options)
  after.subscribe([topic])
  await pollUntil(after, () => after.assignment().length === 2)
  expect(after.groupMetadata().generationId).toBe(generationId)
  await after.close()
})

test("a member that stops polling is replaced, and cannot commit any more", async () => {
  const topic = await newTopic(client, 1)
  await fill(topic, 1, 10)
  const groupId = fresh("group")
  const lost: number[] = []
  const slow = client.consumer({
    groupId,
    autoOffsetReset: "earliest",
    maxPollIntervalMs: 1500,
    heartbeatIntervalMs: 200,
  })
  slow.subscribe([topic], { onLost: (partitions) => void lost.push(partitions.length) })
  await pollUntil(slow, (records) => records.length === 10)
  const quick = client.consumer({ groupId, autoOffsetReset: "earliest", heartbeatIntervalMs: 200 })
  quick.subscribe([topic])
  const records = await pollUntil(quick, (all) => all.length === 10)
  expect(records.length).toBe(10)
  await expect(slow.commit([{ topic, partition: 0, offset: 10 }])).rejects.toBeInstanceOf(CommitFailed)
  await slow.poll(100)
  expect(lost).toEqual([1])
  await Promise.all([slow.close(), quick.close()])
})

test("commits are found again, with their metadata", async () => {
  const topic = await newTopic(client, 2)
  await fill(topic, 2, 5)
  const groupId = fresh("group")
  const consumer = client.consumer({ groupId, autoOffsetReset: "earliest" })
  consumer.subscribe([topic])
  await pollUntil(consumer, (records) => records.length === 10)
  await consumer.commit([{ topic, partition: 1, offset: 3, metadata: "as far as here" }])
  const committed = await consumer.committed([
    { topic, partition: 0 },
    { topic, partition: 1 },
  ])
  expect(committed.map(({ partition, offset, metadata }) => [partition, offset, metadata]).toSorted()).toEqual([
    [0, -1, ""],
    [1, 3, "as far as here"],
  ])
  await consumer.close()
  const next = client.consumer({ groupId, autoOffsetReset: "earliest" })
  next.subscribe([topic])
  const records = await pollUntil(next, (all) => all.length >= 7)
  expect(records.filter(({ partition }) => partition === 1).map(({ offset }) => offset)).toEqual([3, 4])
  await next.close()
})
