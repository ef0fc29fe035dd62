import { command, Failure } from "../command.ts"
import { clusterOptions, jsonOption, withClient } from "../connection.ts"
import { printJson, printTable } from "../terminal.ts"

export default command({
  name: "user list",
  summary: "Lists users that log in with SCRAM, of a cluster or those that are named.",
  positionals: "[USER …]",
  positionalsMax: Infinity,
  options: { ...clusterOptions, json: jsonOption },
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const named = positionals.length === 0 ? undefined : positionals
      const users = (await client.admin().describeScramCredentials(named))
        .map(({ user, credentials }) => ({
          user,
          credentials: credentials.toSorted((a, b) => (a.mechanism < b.mechanism ? -1 : 1)),
        }))
        .sort((a, b) => (a.user < b.user ? -1 : 1))
      const missing = named?.find(
        (name) => !users.some(({ user, credentials }) => user === name && credentials.length > 0),
      )
      if (missing !== undefined) throw new Failure(`there is no user ${missing}; see: millrace user list`)
      if (options.json) printJson(users)
      else
        printTable(
          ["user", "mechanism", "iterations"],
          users.flatMap(({ user, credentials }) =>
            credentials.map(({ mechanism, iterations }) => [user, mechanism, iterations]),
          ),
          "no users",
        )
      return 0
    }),
})
