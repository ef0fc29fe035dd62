import { command, Failure } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { bold, printJson, printTable } from "../terminal.ts"

/** ListOffsets: the earliest record still there, and the next one to be written. */
const EARLIEST = -2
const LATEST = -1

export default command({
  name: "topic describe",
  summary: "Shows partitions, offsets and settings of topics.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: { ...clusterOptions, json: jsonOption },
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const admin = client.admin()
      const topics = await admin.describeTopics([...positionals])
      const described: DescribedTopic[] = []
      for (const topic of topics) {
        const at = (timestamp: number) =>
          topic.partitions.map(({ partition }) => ({ topic: topic.name, partition, timestamp }))
        const [first, next] = [await admin.listOffsets(at(EARLIEST)), await admin.listOffsets(at(LATEST))]
        const configs = await admin.describeConfigs([{ type: "topic", name: topic.name }])
        described.push({
          name: topic.name,
          id: topic.topicId,
          partitions: topic.partitions.map((one, index) => ({
            partition: one.partition,
            leader: one.leader,
            replicas: one.replicas,
            isr: one.isr,
            firstOffset: first[index]!.offset,
            nextOffset: next[index]!.offset,
          })),
          settings: Object.fromEntries(
            (configs[0]?.configs ?? [])
              .filter((entry) => entry.source === "topic")
              .map((entry) => [entry.name, entry.value]),
          ),
        })
      }
      if (options.json) printJson(described)
      else described.forEach(show)
      const missing = positionals.filter((name) => !described.some((topic) => topic.name === name))
      if (missing.length > 0) throw new Failure(`there is no topic ${missing.join(", ")}; see: millrace topic list`)
      return 0
    }),
})

interface DescribedTopic {
  readonly name: string
  readonly id: string | undefined
  readonly partitions: readonly {
    partition: number
    leader: number
    replicas: readonly number[]
    isr: readonly number[]
    firstOffset: number
    nextOffset: number
  }[]
  readonly settings: Readonly<Record<string, string | null>>
}

function show(topic: DescribedTopic): void {
  console.log(`${bold(topic.name)}  ${topic.id ?? ""}`)
  for (const [name, value] of Object.entries(topic.settings)) console.log(`  ${name}=${value}`)
  printTable(
    ["partition", "leader", "replicas", "in sync", "first offset", "next offset"],
    topic.partitions.map((one) => [
      one.partition,
      one.leader,
      one.replicas.join(","),
      one.isr.join(","),
      one.firstOffset,
      one.nextOffset,
    ]),
  )
}
