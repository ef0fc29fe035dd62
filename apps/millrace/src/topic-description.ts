/**
 * What commands show of a topic: its partitions with their offsets, and the settings that it has of its own.
 */
import type { Admin } from "@millrace/client"
import { Failure } from "./command.ts"
import { bold, printTable } from "./terminal.ts"

/** ListOffsets: the earliest record still there, and the next one to be written. */
const EARLIEST = -2
const LATEST = -1

export interface DescribedTopic {
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

/** Topics that exist, in the order asked. */
export async function describeTopics(admin: Admin, names: readonly string[]): Promise<DescribedTopic[]> {
  const described: DescribedTopic[] = []
  for (const topic of await admin.describeTopics(names)) {
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
  return described
}

/** Fails by the names of those that are asked for and do not exist. */
export function checkExisting(names: readonly string[], found: readonly { readonly name: string }[]): void {
  const missing = names.filter((name) => !found.some((topic) => topic.name === name))
  if (missing.length > 0) throw new Failure(`there is no topic ${missing.join(", ")}; see: millrace topic list`)
}

export function showTopic(topic: DescribedTopic): void {
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
