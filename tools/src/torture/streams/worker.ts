/**
 * A process of the wide pipeline: node worker.ts BROKERS STATE-DIRECTORY APPLICATION GROUP-PROTOCOL. Prints each state that it comes to;
 * SIGTERM ends it in order.
 */
import { nodeHost } from "@millrace/host/node"
import { runWide } from "@millrace/simulation/wide/run"

const [brokers = "", stateDir = "", application = "", protocol] = process.argv.slice(2)
const starting = runWide(application, {
  host: nodeHost,
  brokers,
  stateDir,
  groupProtocol: protocol === "streams" ? "streams" : "classic",
  log: (message) => process.stderr.write(`${message}\n`),
  onStateChange: (state) => process.stdout.write(`${state}\n`),
})
process.on("SIGTERM", () => void starting.then((running) => running.close()))
await (
  await starting
).done
