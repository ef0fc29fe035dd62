import type { Admin } from "@millrace/client"
import { command } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"
import { countOption, settings } from "../serve.ts"

/** The broker decides. */
const DEFAULT = -1

export default command({
  name: "topic create",
  summary: "Creates topics.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: {
    ...clusterOptions,
    partitions: { value: "N", help: "partitions of each topic; the broker decides without it" },
    replicas: { value: "N", help: "replicas of each partition; the broker decides without it" },
    set: { value: "key=value", help: "a topic setting by Kafka's name", multiple: true },
    "if-not-exists": { help: "a topic that exists is left as it is, and is no error" },
  },
  run: ({ options, positionals }) => {
    const topic = {
      partitions: options.partitions === undefined ? DEFAULT : countOption("partitions", options.partitions, 1),
      replicationFactor: options.replicas === undefined ? DEFAULT : countOption("replicas", options.replicas, 1),
      configs: settings(options.set),
    }
    return withClient(options, async (client) => {
      const admin = client.admin()
      // One by one: what was printed before an error is what was done.
      for (const name of positionals) {
        const created = await admin.createTopics([{ name, ...topic }], { ifNotExists: options["if-not-exists"] })
        console.log(created.length > 0 ? `created ${name}` : await existing(admin, name, topic.partitions))
      }
      return 0
    })
  },
})

/** It is left as it is, which may not be what was asked for. */
async function existing(admin: Admin, name: string, wanted: number): Promise<string> {
  const [topic] = wanted === DEFAULT ? [] : await admin.describeTopics([name])
  const count = topic?.partitions.length ?? wanted
  return count === wanted ? `${name} exists` : `${name} exists, with partitions: ${count}, not ${wanted}`
}
