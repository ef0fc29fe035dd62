import { command } from "../command.ts"
import { brokersOption, jsonOption, withClient } from "../connection.ts"
import { bold, printJson, printTable } from "../terminal.ts"

const LATEST = -1

export default command({
  name: "group describe",
  summary: "Shows members, committed offsets and lag of a consumer group.",
  positionals: "GROUP",
  positionalsMin: 1,
  positionalsMax: 1,
  options: { brokers: brokersOption, json: jsonOption },
  run: ({ options, positionals }) =>
    withClient(options.brokers, async (client) => {
      const admin = client.admin()
      const [group] = await admin.describeGroups([positionals[0]!])
      const offsets = await admin.listGroupOffsets(positionals[0]!)
      const ends = await admin.listOffsets(
        offsets.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST })),
      )
      const rows = offsets.map((one, index) => ({
        topic: one.topic,
        partition: one.partition,
        committed: one.offset,
        end: ends[index]!.offset,
        lag: Math.max(0, ends[index]!.offset - one.offset),
      }))
      if (options.json) {
        printJson({ ...group, offsets: rows })
        return 0
      }
      console.log(`${bold(group!.groupId)}  ${group!.state}  ${group!.protocolType} ${group!.protocol}`)
      printTable(
        ["member", "client", "host"],
        group!.members.map((one) => [one.memberId, one.clientId, one.host]),
        "no members",
      )
      printTable(
        ["topic", "partition", "committed", "end", "lag"],
        rows.map((row) => [row.topic, row.partition, row.committed, row.end, row.lag]),
        "no committed offsets",
      )
      return 0
    }),
})
