import { command } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { printJson } from "../terminal.ts"
import { checkExisting, describeTopics, showTopic } from "../topic-description.ts"

export default command({
  name: "topic describe",
  summary: "Shows partitions, offsets and settings of topics.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: { ...clusterOptions, json: jsonOption },
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const described = await describeTopics(client.admin(), positionals)
      if (options.json) printJson(described)
      else described.forEach(showTopic)
      checkExisting(positionals, described)
      return 0
    }),
})
