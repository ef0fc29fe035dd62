import type { Admin, GroupDescription, StreamsTasks, TopicPartition } from "@millrace/client"
import { command, Failure } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { bold, printJson, printTable } from "../terminal.ts"

const LATEST = -1

interface Progress {
  readonly topic: string
  readonly partition: number
  readonly committed: number
  /** Null when the topic is gone. */
  readonly end: number | null
  readonly lag: number | null
}

export default command({
  name: "group describe",
  summary: "Shows members, committed offsets and lag of a group: of consumers, or of processes of a pipeline.",
  positionals: "GROUP",
  positionalsMin: 1,
  positionalsMax: 1,
  options: { ...clusterOptions, json: jsonOption },
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const admin = client.admin()
      const [group] = await admin.describeGroups([positionals[0]!])
      if (group === undefined || group.state === "Dead")
        return await describeStreams(admin, positionals[0]!, options.json)
      const progress = await progressOf(admin, group.groupId)
      if (options.json) {
        const members = group.members.map(({ metadata: _metadata, assignment: _assignment, ...member }) => member)
        printJson({ ...group, members, offsets: progress })
      } else show(group, progress)
      return 0
    }),
})

/** A group whose members run tasks of a pipeline, which the broker assigns. */
async function describeStreams(admin: Admin, groupId: string, json: boolean): Promise<number> {
  const group = await admin.describeStreamsGroup(groupId)
  if (group === undefined) throw new Failure(`there is no group ${groupId}; see: millrace group list`)
  const progress = await progressOf(admin, groupId)
  if (json) printJson({ ...group, type: "streams", protocolType: "streams", offsets: progress })
  else {
    console.log(headline(groupId, group.state, "streams"))
    const tasksText = (tasks: StreamsTasks["active"]) =>
      tasks.map(({ subtopologyId, partition }) => `${subtopologyId}_${partition}`).join(" ")
    printTable(
      ["member", "client", "host", "tasks", "standbys", "warm-ups"],
      group.members.map(({ memberId, clientId, host, tasks: { active, standby, warmup } }) => [
        ...[memberId, clientId, host],
        ...[active, standby, warmup].map(tasksText),
      ]),
      "no members",
    )
    showProgress(progress)
  }
  return 0
}

async function progressOf(admin: Admin, groupId: string): Promise<Progress[]> {
  const committed = await admin.listGroupOffsets(groupId)
  const topics = await admin.describeTopics([...new Set(committed.map(({ topic }) => topic))])
  const existing = new Set(
    topics.flatMap(({ name, partitions }) => partitions.map((one) => `${name}-${one.partition}`)),
  )
  const there = committed.filter(({ topic, partition }) => existing.has(`${topic}-${partition}`))
  const listed = await admin.listOffsets(there.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST })))
  const ends = new Map(there.map(({ topic, partition }, index) => [`${topic}-${partition}`, listed[index]!.offset]))
  return committed
    .map(({ topic, partition, offset }) => {
      const end = ends.get(`${topic}-${partition}`) ?? null
      return { topic, partition, committed: offset, end, lag: end === null ? null : Math.max(0, end - offset) }
    })
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

function show(group: GroupDescription, progress: readonly Progress[]): void {
  console.log(headline(group.groupId, group.state, group.type, group.protocolType, group.protocol))
  printTable(
    ["member", "client", "host", "partitions"],
    group.members.map((one) => [one.memberId, one.clientId, one.host, partitionsText(one.partitions)]),
    "no members",
  )
  showProgress(progress)
}

const headline = (groupId: string, state: string, type: string, protocol = "", assignor = ""): string =>
  [
    bold(groupId),
    `state ${state}`,
    `type ${type}`,
    ...(protocol === "" ? [] : [`protocol ${protocol}`]),
    ...(assignor === "" ? [] : [`assignor ${assignor}`]),
  ].join("  ")

function showProgress(progress: readonly Progress[]): void {
  printTable(
    ["topic", "partition", "committed", "end", "lag"],
    progress.map((one) => [one.topic, one.partition, one.committed, one.end, one.lag]),
    "no committed offsets",
  )
}

/** `orders 0,1 payments 0` */
function partitionsText(partitions: readonly TopicPartition[]): string {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
  return [...byTopic].map(([topic, list]) => `${topic} ${list.map(({ partition }) => partition).join(",")}`).join(" ")
}
