import { command, UsageError } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { countOption, settings } from "../serve.ts"
import { printJson } from "../terminal.ts"
import { checkExisting, describeTopics, showTopic } from "../topic-description.ts"

export default command({
  name: "topic alter",
  summary: "Changes settings of topics, or adds partitions, and shows what holds then.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: {
    ...clusterOptions,
    set: { value: "key=value", help: "a topic setting by Kafka's name, such as retention.ms=-1", multiple: true },
    unset: { value: "key", help: "a setting that the topic is to have from its broker again", multiple: true },
    partitions: {
      value: "N",
      help: "add partitions until there are N; keys go to others then: start over the pipelines that read it",
    },
    json: jsonOption,
  },
  run: ({ options, positionals }) => {
    const set = settings(options.set)
    const both = options.unset.find((name) => name in set)
    if (both !== undefined) throw new UsageError(`--set ${both}=${set[both]} and --unset ${both}: choose one`)
    const changes = [
      ...Object.entries(set).map(([name, value]) => ({ name, value, operation: "set" as const })),
      ...options.unset.map((name) => ({ name, operation: "delete" as const })),
    ]
    const count = options.partitions === undefined ? undefined : countOption("partitions", options.partitions, 1)
    if (changes.length === 0 && count === undefined)
      throw new UsageError("there is nothing to change: say --set, --unset or --partitions")
    return withClient(options, async (client) => {
      const admin = client.admin()
      checkExisting(positionals, await admin.describeTopics(positionals))
      for (const name of positionals) {
        if (changes.length > 0) await admin.incrementalAlterConfigs([{ type: "topic", name, changes }])
        if (count !== undefined) await admin.createPartitions([{ name, count }])
      }
      const described = await describeTopics(admin, positionals)
      if (options.json) printJson(described)
      else described.forEach(showTopic)
      return 0
    })
  },
})
