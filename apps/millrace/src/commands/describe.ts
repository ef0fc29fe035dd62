import { describeTopology, makeTopology } from "@millrace/streams"
import { command, UsageError } from "../command.ts"
import { loadPipelines } from "../modules.ts"

const FORMATS = ["text", "mermaid", "json"] as const

export default command({
  name: "describe",
  summary: "Shows the topology of the pipelines that a module exports.",
  positionals: "FILE.ts",
  positionalsMin: 1,
  positionalsMax: 1,
  options: { format: { value: "FORMAT", help: `one of ${FORMATS.join(", ")}`, default: "text" } },
  run: async ({ options, positionals }) => {
    const format = FORMATS.find((one) => one === options.format)
    if (format === undefined) throw new UsageError(`--format ${options.format}: expected one of ${FORMATS.join(", ")}`)
    for (const pipeline of (await loadPipelines(positionals[0]!)).pipelines) {
      console.log(describeTopology(makeTopology(pipeline.plan, pipeline.name), format))
    }
    return 0
  },
})
