import { aclText, filtersOf, ruleOptions } from "../acl-options.ts"
import { command, Failure, UsageError } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"

export default command({
  name: "acl delete",
  summary: "Deletes the access rules that match all of the options.",
  options: { ...clusterOptions, ...ruleOptions },
  run: ({ options }) => {
    const filters = filtersOf(options)
    if (filters.some((filter) => Object.keys(filter).length === 0))
      throw new UsageError(
        "millrace acl delete needs what the rules are about or whom they are for: --topic, --principal …",
      )
    return withClient(options, async (client) => {
      const deleted = await client.admin().deleteAcls(filters)
      if (deleted.length === 0) throw new Failure("there is no such rule; see: millrace acl list")
      for (const rule of deleted) console.log(`deleted: ${aclText(rule)}`)
      return 0
    })
  },
})
