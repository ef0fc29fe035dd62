import { command } from "../command.ts"
import { checkBrokers, commandConfigOption, reach, securityOption } from "../connection.ts"
import { connectSettings, startConnectWorker } from "../parts/connect.ts"
import { LOG_OPTION, serverPrinter } from "../parts/server-log.ts"
import { addressOption, listening, serve } from "../serve.ts"

export default command({
  name: "connect",
  summary: "Runs a connect worker on any Kafka cluster, with Kafka Connect's REST API.",
  options: {
    brokers: { value: "HOST:PORT[,…]", help: "brokers to connect to", required: true },
    "command-config": commandConfigOption,
    listen: { value: "HOST:PORT", help: "address of the REST API; port 0 picks a free one", default: "127.0.0.1:8083" },
    registry: { value: "URL", help: "the schema registry of converters that name none" },
    config: { value: "FILE", help: "a properties file with the worker's settings" },
    log: LOG_OPTION,
    set: { value: "key=value", help: "one setting by Kafka Connect's name; wins over the file", multiple: true },
  },
  run: async ({ options }) => {
    const { connect: log } = serverPrinter(options.log)
    const listen = addressOption("listen", options.listen)
    const brokers = checkBrokers(options.brokers)
    const security = await securityOption(options["command-config"])
    const config = await connectSettings({ file: options.config, set: options.set })
    return serve([
      async () => {
        await reach(options)
        const registry = options.registry === undefined ? {} : { registryUrl: options.registry }
        return listening("listen", () => startConnectWorker({ brokers, security, listen, config, ...registry, log }))
      },
    ])
  },
})
