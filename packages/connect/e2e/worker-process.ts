/**
 * A Connect worker as a process of its own, to be killed: brokers, group id and the topics' suffix are its arguments.
 */
import { fileSource } from "@millrace/connector-file"
import { sqliteSink } from "@millrace/connector-sqlite"
import { nodeHost } from "@millrace/host/node"
import { startConnect } from "../src/index.ts"

const [brokers, suffix] = process.argv.slice(2)
const connect = await startConnect({
  host: nodeHost,
  brokers: brokers!,
  listen: { host: "127.0.0.1", port: 0 },
  store: "kafka",
  connectors: [fileSource, sqliteSink],
  config: {
    "group.id": `connect-${suffix}`,
    "offset.storage.topic": `connect-offsets-${suffix}`,
    "config.storage.topic": `connect-configs-${suffix}`,
    "offset.flush.interval.ms": "200",
  },
  log: (level, message) => level !== "debug" && console.error(level, message),
})
console.log(connect.url)
process.on("SIGTERM", () => {
  void connect.close().then(() => process.exit(0))
})
