import { ErrorCode, KafkaError } from "@millrace/client"
import { command, Failure } from "../command.ts"
import { clusterOptions, withClient } from "../connection.ts"

export default command({
  name: "topic delete",
  summary: "Deletes topics with all their records.",
  positionals: "NAME [NAME …]",
  positionalsMin: 1,
  positionalsMax: Infinity,
  options: clusterOptions,
  run: ({ options, positionals }) =>
    withClient(options, async (client) => {
      const admin = client.admin()
      for (const name of positionals) {
        await admin.deleteTopics([name]).catch((error: unknown) => {
          if (!(error instanceof KafkaError) || error.code !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) throw error
          throw new Failure(`there is no topic ${name}; see: millrace topic list`, { cause: error })
        })
        console.log(`deleted ${name}`)
      }
      return 0
    }),
})
