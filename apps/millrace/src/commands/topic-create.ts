import { command, UsageError } from "../command.ts"
import { brokersOption, withClient } from "../connection.ts"
import { settings } from "../serve.ts"

export default command({
  name: "topic create",
  summary: "Creates topics.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: {
    brokers: brokersOption,
    partitions: { value: "N", help: "partitions of each topic; the broker decides without it" },
    replicas: { value: "N", help: "replicas of each partition; the broker decides without it" },
    set: { value: "key=value", help: "a topic setting by Kafka's name", multiple: true },
  },
  run: ({ options, positionals }) =>
    withClient(options.brokers, async (client) => {
      await client.admin().createTopics(
        positionals.map((name) => ({
          name,
          partitions: countOption("partitions", options.partitions),
          replicationFactor: countOption("replicas", options.replicas),
          configs: settings(options.set),
        })),
      )
      for (const name of positionals) console.log(`created ${name}`)
      return 0
    }),
})

function countOption(name: string, text: string | undefined): number {
  if (text === undefined) return -1
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--${name} ${text}: expected a whole number above 0`)
  return Number(text)
}
