import { command } from "../command.ts"
import { checkBrokers, commandConfigOption, reach, securityOption } from "../connection.ts"
import { registrySettings, startRegistryServer } from "../parts/registry.ts"
import { addressOption, listening, serve } from "../serve.ts"

export default command({
  name: "registry",
  summary: "Runs a schema registry that keeps its schemas in a topic of any Kafka cluster.",
  options: {
    brokers: { value: "HOST:PORT[,…]", help: "brokers to connect to", required: true },
    "command-config": commandConfigOption,
    listen: { value: "HOST:PORT", help: "address to listen on; port 0 picks a free one", default: "127.0.0.1:8081" },
    config: { value: "FILE", help: "a properties file with the registry's settings" },
    set: { value: "key=value", help: "one setting, such as kafkastore.topic=_schemas", multiple: true },
  },
  run: async ({ options }) => {
    const listen = addressOption("listen", options.listen)
    const brokers = checkBrokers(options.brokers)
    const security = await securityOption(options["command-config"])
    const config = await registrySettings({ file: options.config, set: options.set })
    return serve([
      async () => {
        await reach(options)
        return listening("listen", () => startRegistryServer({ brokers, security, listen, config }))
      },
    ])
  },
})
