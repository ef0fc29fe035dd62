import { command, UsageError } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"
import { entityOptions, namedEntityOf, told } from "../quota-options.ts"

export default command({
  name: "quota set",
  summary:
    "Sets what a user, a client id, both or an address may take of each broker: producer_byte_rate, consumer_byte_rate, " +
    "request_percentage, controller_mutation_rate; of addresses connection_creation_rate. Others that are set stay.",
  positionals: "KEY=VALUE [KEY=VALUE …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: { ...clusterOptions, ...entityOptions },
  run: ({ options, positionals }) => {
    const entity = namedEntityOf("quota set", options)
    const quotas: Record<string, number> = {}
    for (const pair of positionals) {
      const [, key = "", text = ""] = /^([^=]+)=(.*)$/.exec(pair) ?? []
      if (!/^\d+(?:\.\d+)?$/.test(text))
        throw new UsageError(`${pair}: expected a quota and a number, such as producer_byte_rate=1000000`)
      if (Object.hasOwn(quotas, key)) throw new UsageError(`${pair}: ${key} is ${quotas[key]} already`)
      quotas[key] = Number(text)
    }
    return withClient(options, async (client) => {
      await client.admin().alterClientQuotas([{ entity, quotas }])
      for (const [key, value] of Object.entries(quotas)) console.log(`set ${key} of ${told(entity)} to ${value}`)
      return 0
    })
  },
})
