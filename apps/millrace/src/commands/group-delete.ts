import { command } from "../command.ts"
import { brokersOption, withClient } from "../connection.ts"

export default command({
  name: "group delete",
  summary: "Deletes consumer groups that have no members, with their offsets.",
  positionals: "GROUP [GROUP …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: { brokers: brokersOption },
  run: ({ options, positionals }) =>
    withClient(options.brokers, async (client) => {
      const admin = client.admin()
      for (const group of positionals) {
        await admin.deleteGroups([group])
        console.log(`deleted ${group}`)
      }
      return 0
    }),
})
