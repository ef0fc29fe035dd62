import { ErrorCode, KafkaError } from "@millrace/client"
import { command, Failure } from "../command.ts"
import { confirmed } from "../confirm.ts"
import { clusterOptions, withClient } from "../connection.ts"

export default command({
  name: "topic delete",
  summary: "Deletes topics with all their records; a terminal asks first.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: {
    ...clusterOptions,
    internal: { help: "also the broker's own topics: with them go all groups' offsets, or the state of transactions" },
    yes: { help: "do not ask" },
  },
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const admin = client.admin()
      const found = new Map((await admin.describeTopics(positionals)).map((topic) => [topic.name, topic]))
      for (const name of positionals) {
        const topic = found.get(name)
        if (topic === undefined) throw missing(name)
        if (topic.internal && !options.internal)
          throw new Failure(`${name} is the broker's own: say --internal to delete what it keeps there`)
      }
      const question = `Delete ${positionals.join(", ")} with all records? Type yes to go on:`
      if (process.stdin.isTTY && !options.yes && !(await confirmed(question, "yes")))
        throw new Failure("nothing was deleted")
      for (const name of positionals) {
        await admin.deleteTopics([name]).catch((error: unknown) => {
          if (!(error instanceof KafkaError) || error.code !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) throw error
          throw missing(name, error)
        })
        console.log(`deleted ${name}`)
      }
      return 0
    }),
})

const missing = (name: string, cause?: unknown): Failure =>
  new Failure(`there is no topic ${name}; see: millrace topic list`, { cause })
