import type { ClientQuotas } from "@millrace/client"
import { command } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { entityOf, entityOptions } from "../quota-options.ts"
import { printJson, printTable } from "../terminal.ts"

/** As Kafka's tools show who has no name. */
const shown = (name: string | null | undefined) => (name === null ? "<default>" : name)

export default command({
  name: "quota list",
  summary: "Lists the quotas that are set, of a cluster or of those that the options name.",
  options: { ...clusterOptions, ...entityOptions, json: jsonOption },
  run: ({ options }) => {
    const filter = entityOf("quota list", options)
    return withClient(options, async (client) => {
      const all = (await client.admin().describeClientQuotas(filter)).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
      if (options.json) printJson(all)
      else
        printTable(
          ["user", "client id", "ip", "quota", "value"],
          all.flatMap(({ entity: { user, clientId, ip }, quotas }) =>
            Object.entries(quotas)
              .toSorted()
              .map(([quota, value]) => [shown(user), shown(clientId), shown(ip), quota, value]),
          ),
          "no quotas",
        )
      return 0
    })
  },
})

const sortKey = ({ entity: { user, clientId, ip } }: ClientQuotas) =>
  [user, clientId, ip].map((name) => shown(name) ?? "").join("\n")
