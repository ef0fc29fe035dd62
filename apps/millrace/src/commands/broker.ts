import type { Address } from "@millrace/host"
import { command } from "../command.ts"
import { type BrokerPart, brokerSettings, listenAddress, listenOption, startBroker } from "../parts/broker.ts"
import { LOG_OPTION, serverPrinter, warnOfMetrics } from "../parts/server-log.ts"
import { addressOption, listening, serve } from "../serve.ts"

export default command({
  name: "broker",
  summary: "Runs one Kafka-compatible broker.",
  options: {
    data: { value: "DIR", help: "where the log lives", required: true },
    listen: listenOption,
    metrics: { value: "HOST:PORT", help: "serves /metrics for Prometheus, /health and /ready here" },
    config: { value: "FILE", help: "a properties file with Kafka's broker settings" },
    log: LOG_OPTION,
    set: { value: "key=value", help: "one broker setting by Kafka's name; wins over the file", multiple: true },
  },
  run: async ({ options }) => {
    const { broker: log } = serverPrinter(options.log)
    const config = brokerSettings({ file: options.config, set: options.set })
    const listen = listenAddress("listen", options.listen, config)
    const metrics = options.metrics === undefined ? undefined : addressOption("metrics", options.metrics)
    let part: BrokerPart | undefined
    const watch = async (at: Address) => {
      const { startBrokerMetrics } = await import("../parts/broker-metrics.ts")
      const served = await listening("metrics", () => startBrokerMetrics(at, part!.broker))
      warnOfMetrics(log, at)
      return served
    }
    return serve([
      async () => (part = await listening("listen", () => startBroker({ dataDir: options.data, listen, config, log }))),
      ...(metrics === undefined ? [] : [() => watch(metrics)]),
    ])
  },
})
