import { command, Failure } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"
import { scramMechanism } from "../scram-option.ts"

export default command({
  name: "user delete",
  summary: "Deletes users' credentials for SCRAM: who is connected stays so until the connection ends.",
  positionals: "USER [USER …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: {
    ...clusterOptions,
    mechanism: { value: "NAME", help: "that of one mechanism alone: SCRAM-SHA-256 or SCRAM-SHA-512" },
  },
  run: ({ options, positionals }) => {
    const only = options.mechanism === undefined ? undefined : scramMechanism(options.mechanism)
    return withClient(options, async (client) => {
      const admin = client.admin()
      for (const user of positionals) {
        const [found] = await admin.describeScramCredentials([user])
        const deletions = (found?.credentials ?? [])
          .filter(({ mechanism }) => only === undefined || mechanism === only)
          .map(({ mechanism }) => ({ user, mechanism }))
        if (deletions.length === 0)
          throw new Failure(`there is no user ${user}${only ? ` with ${only}` : ""}; see: millrace user list`)
        await admin.alterScramCredentials([], deletions)
        console.log(`deleted ${user}`)
      }
      return 0
    })
  },
})
