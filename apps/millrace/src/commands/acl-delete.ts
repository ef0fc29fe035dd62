import { aclText, filterOptions, filtersOf, resourcesOf } from "../acl-options.ts"
import { command, Failure, UsageError } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"

export default command({
  name: "acl delete",
  summary:
    "Deletes the access rules that match all of the options; --allow or --deny where there are rules of both kinds.",
  options: { ...clusterOptions, ...filterOptions },
  run: ({ options }) => {
    if (options.principal === undefined && resourcesOf(options).length === 0)
      throw new UsageError(
        "millrace acl delete needs what the rules are about or whom they are for: --topic, --principal …",
      )
    const filters = filtersOf(options)
    return withClient(options, async (client) => {
      const admin = client.admin()
      const found = (await Promise.all(filters.map((filter) => admin.describeAcls(filter)))).flat()
      const [first] = found
      if (first === undefined) throw new Failure("there is no such rule; see: millrace acl list")
      const { permission } = first
      const other = found.find((rule) => rule.permission !== permission)
      const isSaid = options.allow || options.deny
      if (other !== undefined && !isSaid) {
        const both = `${aclText(first)}; ${aclText(other)}`
        throw new Failure(`rules that allow and rules that deny match: ${both}; say --allow, --deny or both`)
      }
      // One of the other kind that comes meanwhile was not meant.
      const deleted = await admin.deleteAcls(isSaid ? filters : filters.map((filter) => ({ ...filter, permission })))
      // All that were found are gone, also where the answer that told of them was lost.
      for (const text of new Set([...found, ...deleted].map(aclText))) console.log(`deleted: ${text}`)
      return 0
    })
  },
})
