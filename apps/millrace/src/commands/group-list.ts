import { command } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { printJson, printTable } from "../terminal.ts"

export default command({
  name: "group list",
  summary: "Lists groups, of consumers and of processes of a pipeline, with the protocol that they go by.",
  options: { ...clusterOptions, json: jsonOption },
  run: ({ options }) =>
    withClient(options, async (client) => {
      const groups = (await client.admin().listGroups()).sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
      if (options.json) printJson(groups)
      else
        printTable(
          ["group", "state", "type", "protocol"],
          groups.map((group) => [group.groupId, group.state, group.type, group.protocolType]),
          "no groups",
        )
      return 0
    }),
})
