import { command } from "../command.ts"
import { brokerSettings, startBroker } from "../parts/broker.ts"
import { addressOption, listening, serve } from "../serve.ts"

export default command({
  name: "broker",
  summary: "Runs one Kafka-compatible broker.",
  options: {
    data: { value: "DIR", help: "where the log lives", required: true },
    listen: { value: "HOST:PORT", help: "address to listen on; port 0 picks a free one", default: "127.0.0.1:9092" },
    config: { value: "FILE", help: "a properties file with Kafka's broker settings" },
    set: { value: "key=value", help: "one broker setting by Kafka's name; wins over the file", multiple: true },
  },
  run: async ({ options }) => {
    const listen = addressOption("listen", options.listen)
    const config = brokerSettings({ file: options.config, set: options.set })
    return serve([() => listening("listen", () => startBroker({ dataDir: options.data, listen, config }))])
  },
})
