import { canonicalHost, checkRule } from "../acl-check.ts"
import { aclText, operationOf, resourcesOf, ruleOptions } from "../acl-options.ts"
import { command, UsageError } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"

export default command({
  name: "acl add",
  summary: "Adds access rules, one for each resource and operation: they allow, or deny with --deny.",
  options: {
    ...clusterOptions,
    ...ruleOptions,
    principal: { ...ruleOptions.principal, required: true },
    operation: { ...ruleOptions.operation, multiple: true },
    "from-host": { ...ruleOptions["from-host"], default: "*" },
    deny: { help: "the rules deny; they outweigh those that allow" },
  },
  run: ({ options }) => {
    const { principal, deny } = options
    const host = canonicalHost(options["from-host"])
    const operations = options.operation.map(operationOf)
    if (operations.length === 0) throw new UsageError("millrace acl add needs --operation NAME: what may be done")
    const resources = resourcesOf(options)
    if (resources.length === 0)
      throw new UsageError("millrace acl add needs what the rule is about: --topic, --group, --cluster …")
    const permission = deny ? "DENY" : "ALLOW"
    const rules = resources.flatMap((resource) =>
      operations.map((operation) => ({ ...resource, principal, host, operation, permission }) as const),
    )
    for (const rule of rules) checkRule(rule)
    return withClient(options, async (client) => {
      await client.admin().createAcls(rules)
      for (const rule of rules) console.log(`added: ${aclText(rule)}`)
      return 0
    })
  },
})
