import { command, Failure, UsageError } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"
import { readPassword } from "../password.ts"
import { ITERATIONS_MAX, ITERATIONS_MIN, scramMechanism } from "../scram-option.ts"
import { countOption } from "../serve.ts"

export default command({
  name: "user set",
  summary:
    "Sets a user's password for SCRAM: the first line of standard input, which a terminal does not show. The cluster is told it salted.",
  positionals: "USER",
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    ...clusterOptions,
    mechanism: { value: "NAME", help: "SCRAM-SHA-256 or SCRAM-SHA-512", default: "SCRAM-SHA-512" },
    iterations: { value: "N", help: "how often the password is hashed", default: "4096" },
  },
  run: async ({ options, positionals }) => {
    const mechanism = scramMechanism(options.mechanism)
    const iterations = countOption("iterations", options.iterations, ITERATIONS_MIN, ITERATIONS_MAX)
    const user = positionals[0]!
    if (/^User:/i.test(user))
      throw new UsageError(`millrace user set ${user}: expected a name without its type: ${user.slice("User:".length)}`)
    const password = await readPassword(`password of ${user}: `)
    if (!password) throw new Failure("there is no password on standard input")
    return withClient(options, async (client) => {
      await client.admin().alterScramCredentials([{ user, mechanism, password, iterations }])
      console.log(`set ${user} ${mechanism}`)
      return 0
    })
  },
})
