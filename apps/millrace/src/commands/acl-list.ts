import { ACL_HEADINGS, aclRow, filterOptions, filtersOf } from "../acl-options.ts"
import { command } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { printJson, printTable } from "../terminal.ts"

export default command({
  name: "acl list",
  summary: "Lists access rules: all of a cluster, or those that the options name.",
  options: { ...clusterOptions, ...filterOptions, json: jsonOption },
  run: ({ options }) => {
    const filters = filtersOf(options)
    return withClient(options, async (client) => {
      const admin = client.admin()
      const rules = (await Promise.all(filters.map((filter) => admin.describeAcls(filter)))).flat()
      if (options.json) printJson(rules)
      else printTable(ACL_HEADINGS, rules.map(aclRow), "no rules")
      return 0
    })
  },
})
