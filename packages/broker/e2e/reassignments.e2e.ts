/** Elections, and moves of replicas, where there is one broker, beside a real Apache Kafka. Both have node id 1. */
import { AlterPartitionReassignments } from "@millrace/protocol/messages/alter-partition-reassignments"
import { AlterReplicaLogDirs } from "@millrace/protocol/messages/alter-replica-log-dirs"
import { DescribeLogDirs } from "@millrace/protocol/messages/describe-log-dirs"
import { ElectLeaders } from "@millrace/protocol/messages/elect-leaders"
import { create, versionsOf } from "./broker-topics.ts"
import { compare, group, oracle } from "./oracle.ts"

oracle()

const [PREFERRED, UNCLEAN] = [0, 1]

compare("all versions of ElectLeaders, where who should lead leads", async (side) => {
  const name = group("elected")
  await create(side, name, 2)
  for (const version of versionsOf(ElectLeaders)) {
    for (const electionType of version === 0 ? [PREFERRED] : [PREFERRED, UNCLEAN, 2, -1]) {
      const ask = (topicPartitions: object[] | null) =>
        side.tell(ElectLeaders, version, { electionType, topicPartitions, timeoutMs: 5000 } as never)
      await ask([{ topic: name, partitions: [0, 1] }])
      await ask([{ topic: name, partitions: [2, -1, 0, 0] }])
      await ask([{ topic: name, partitions: [] }])
      await ask([{ topic: group("absent"), partitions: [0] }])
      await ask([
        { topic: name, partitions: [0] },
        { topic: "", partitions: [0] },
      ])
      await ask([
        { topic: name, partitions: [0] },
        { topic: name, partitions: [0] },
      ])
      await ask([])
      // All topics: the names of those are each broker's own, what is said of their partitions is not.
      const all = await side.askSilently(ElectLeaders, version, {
        ...{ electionType, topicPartitions: null, timeoutMs: 5000 },
      } as never)
      const own = all.replicaElectionResults.filter(({ topic }) => topic === name)
      const results = all.replicaElectionResults.flatMap(({ partitionResult }) => partitionResult)
      side.note("all topics", [version, electionType, all.errorCode, own, results])
    }
  }
})

compare("all versions of AlterPartitionReassignments, where there is nowhere to move to", async (side) => {
  const name = group("moved")
  await create(side, name, 2)
  for (const version of versionsOf(AlterPartitionReassignments)) {
    for (const allowReplicationFactorChange of version === 0 ? [true] : [true, false]) {
      const ask = (topics: object[]) => {
        const mayChange = version === 0 ? {} : { allowReplicationFactorChange }
        return side.tell(AlterPartitionReassignments, version, { timeoutMs: 5000, ...mayChange, topics } as never)
      }
      const move = (...partitions: [number, number[] | null][]) =>
        ask([{ name, partitions: partitions.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })) }])
      await move([0, [1]], [1, [1]])
      await move([0, null], [1, [1]])
      await move([0, []])
      await move([0, [1, 1]])
      await move([0, [2]])
      await move([0, [1, 2]])
      await move([0, [-1]])
      await move([7, [1]], [-1, null])
      await move([0, [1]], [0, null])
      await move()
      await ask([])
      await ask([{ name: group("absent"), partitions: [{ partitionIndex: 0, replicas: [1] }] }])
      await ask([{ name: "", partitions: [{ partitionIndex: 0, replicas: null }] }])
      await ask([
        { name, partitions: [{ partitionIndex: 0, replicas: [1] }] },
        { name, partitions: [{ partitionIndex: 1, replicas: [5] }] },
      ])
    }
  }
})

compare("all versions of AlterReplicaLogDirs, where there is one directory", async (side) => {
  const [name, long] = [group("directories"), group("d").padEnd(249, "d")]
  await create(side, name, 2)
  await create(side, long)
  const { results } = await side.askSilently(DescribeLogDirs, 4, { topics: [] })
  const here = results[0]!.logDir
  for (const version of versionsOf(AlterReplicaLogDirs)) {
    const ask = (dirs: object[]) => side.tell(AlterReplicaLogDirs, version, { dirs } as never)
    await ask([])
    for (const path of [here, `${here}/`, "/nowhere", "relative", ""]) {
      await ask([{ path, topics: [{ name, partitions: [0, 1] }] }])
      await ask([{ path, topics: [{ name, partitions: [7] }] }])
      await ask([{ path, topics: [{ name, partitions: [] }] }])
      await ask([{ path, topics: [{ name: long, partitions: [0] }] }])
      await ask([{ path, topics: [{ name: group("absent"), partitions: [0] }] }])
      await ask([{ path, topics: [{ name: "", partitions: [0] }] }])
    }
    const everywhere = [here, "/nowhere"].map((path) => ({ path, topics: [{ name, partitions: [0] }] }))
    await ask(everywhere)
    await ask(everywhere.toReversed())
  }
})
