import { ErrorCode, KafkaError } from "@millrace/client"
import { command, Failure } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"

export default command({
  name: "group delete",
  summary: "Deletes consumer groups that have no members, with their offsets.",
  positionals: "GROUP [GROUP …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: clusterOptions,
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const admin = client.admin()
      for (const group of positionals) {
        await admin.deleteGroups([group]).catch((error: unknown) => {
          if (!(error instanceof KafkaError) || error.code !== ErrorCode.GROUP_ID_NOT_FOUND) throw error
          throw new Failure(`there is no group ${group}; see: millrace group list`, { cause: error })
        })
        console.log(`deleted ${group}`)
      }
      return 0
    }),
})
