import { command, Failure } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"
import { entityOptions, isSame, namedEntityOf, told } from "../quota-options.ts"

export default command({
  name: "quota delete",
  summary: "Deletes quotas of a user, a client id, both or an address: those that are named, or all.",
  positionals: "[KEY …]",
  positionalsMax: Infinity,
  options: { ...clusterOptions, ...entityOptions },
  run: ({ options, positionals }) => {
    const entity = namedEntityOf("quota delete", options)
    return withClient(options, async (client) => {
      const admin = client.admin()
      const found = (await admin.describeClientQuotas(entity)).find((one) => isSame(one.entity, entity))
      const set = Object.keys(found?.quotas ?? {})
      const missing = positionals.find((key) => !set.includes(key))
      if (set.length === 0 || missing !== undefined) {
        const what = missing === undefined ? "no quota" : `no quota ${missing}`
        throw new Failure(`there is ${what} of ${told(entity)}; see: millrace quota list`)
      }
      const keys = positionals.length === 0 ? set : [...new Set(positionals)]
      await admin.alterClientQuotas([{ entity, quotas: Object.fromEntries(keys.map((key) => [key, null])) }])
      for (const key of keys) console.log(`deleted ${key} of ${told(entity)}`)
      return 0
    })
  },
})
