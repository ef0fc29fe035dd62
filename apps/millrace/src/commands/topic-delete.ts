import { command } from "../command.ts"
import { brokersOption, withClient } from "../connection.ts"

export default command({
  name: "topic delete",
  summary: "Deletes topics with all their records.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: { brokers: brokersOption },
  run: ({ options, positionals }) =>
    withClient(options.brokers, async (client) => {
      const admin = client.admin()
      for (const name of positionals) {
        await admin.deleteTopics([name])
        console.log(`deleted ${name}`)
      }
      return 0
    }),
})
