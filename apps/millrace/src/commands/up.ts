import { formatAddress } from "@millrace/host"
import { command } from "../command.ts"
import { startBroker } from "../parts/broker.ts"
import { configFile } from "../parts/config-file.ts"
import { startConnectWorker } from "../parts/connect.ts"
import { startRegistryServer } from "../parts/registry.ts"
import { addressOption, type Part, serve, settings } from "../serve.ts"

export default command({
  name: "up",
  summary: "Runs a broker, a schema registry and a connect worker in one process.",
  options: {
    data: { value: "DIR", help: "where the log lives", default: "./data" },
    kafka: { value: "HOST:PORT", help: "address of the broker; port 0 picks a free one", default: "127.0.0.1:9092" },
    registry: { value: "HOST:PORT", help: "address of the schema registry", default: "127.0.0.1:8081" },
    connect: { value: "HOST:PORT", help: "address of the connect worker", default: "127.0.0.1:8083" },
    config: { value: "FILE", help: "a properties file with Kafka's broker settings" },
    set: { value: "key=value", help: "one broker setting by Kafka's name; wins over the file", multiple: true },
  },
  run: ({ options }) => {
    const listen = addressOption("kafka", options.kafka)
    const registryListen = addressOption("registry", options.registry)
    const connectListen = addressOption("connect", options.connect)
    const config = { ...configFile(options.config), ...settings(options.set) }
    let brokers = ""
    let registry: Part | undefined
    return serve([
      async () => {
        const broker = await startBroker({ dataDir: options.data, listen, config })
        brokers = formatAddress(broker.address)
        return broker
      },
      async () => (registry = await startRegistryServer({ brokers, listen: registryListen, config: {} })),
      () => startConnectWorker({ brokers, listen: connectListen, config: {}, registryUrl: registry!.at }),
    ])
  },
})
