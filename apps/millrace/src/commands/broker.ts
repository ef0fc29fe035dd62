import { command } from "../command.ts"
import { brokerSettings, startBroker, watchBroker } from "../parts/broker.ts"
import { startMetrics, type Watched } from "../parts/metrics.ts"
import { addressOption, listening, serve } from "../serve.ts"

export default command({
  name: "broker",
  summary: "Runs one Kafka-compatible broker.",
  options: {
    data: { value: "DIR", help: "where the log lives", required: true },
    listen: { value: "HOST:PORT", help: "address to listen on; port 0 picks a free one", default: "127.0.0.1:9092" },
    metrics: { value: "HOST:PORT", help: "serves /metrics for Prometheus, /health and /ready here" },
    config: { value: "FILE", help: "a properties file with Kafka's broker settings" },
    set: { value: "key=value", help: "one broker setting by Kafka's name; wins over the file", multiple: true },
  },
  run: async ({ options }) => {
    const listen = addressOption("listen", options.listen)
    const config = brokerSettings({ file: options.config, set: options.set })
    const metrics = options.metrics === undefined ? undefined : addressOption("metrics", options.metrics)
    let watched: Watched | undefined
    return serve([
      async () => {
        const part = await listening("listen", () => startBroker({ dataDir: options.data, listen, config }))
        watched = watchBroker(part.broker)
        return part
      },
      ...(metrics === undefined ? [] : [() => listening("metrics", () => startMetrics(metrics, watched!))]),
    ])
  },
})
