import { command } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { printJson, printTable } from "../terminal.ts"

export default command({
  name: "topic list",
  summary: "Lists topics.",
  options: { ...clusterOptions, json: jsonOption, internal: { help: "also show internal topics" } },
  run: ({ options }) =>
    withClient(options, async (client) => {
      const admin = client.admin()
      const names = await admin.listTopics({ includeInternal: options.internal })
      const topics = await admin.describeTopics(names.sort())
      const rows = topics.map((topic) => ({
        name: topic.name,
        partitions: topic.partitions.length,
        replicas: topic.partitions[0]?.replicas.length ?? 0,
        id: topic.topicId,
      }))
      if (options.json) printJson(rows)
      else
        printTable(
          ["topic", "partitions", "replicas", "id"],
          rows.map((row) => [row.name, row.partitions, row.replicas, row.id]),
          "no topics",
        )
      return 0
    }),
})
