import { type Address, formatAddress } from "@millrace/host"
import { command } from "../command.ts"
import { startBrokerMetrics } from "../parts/broker-metrics.ts"
import {
  type BrokerPart,
  brokerSettings,
  checkOpen,
  DEVELOPMENT_SETTINGS,
  listenAddress,
  listenOption,
  startBroker,
} from "../parts/broker.ts"
import { startConnectWorker } from "../parts/connect.ts"
import { startRegistryServer } from "../parts/registry.ts"
import { LOG_OPTION, serverPrinter, warnOfMetrics } from "../parts/server-log.ts"
import { addressOption, listening, type Part, serve } from "../serve.ts"

export default command({
  name: "up",
  summary:
    "Runs a broker, a schema registry and a connect worker in one process. A new group starts at once there, without the time " +
    "that `millrace broker` and Kafka give its members to come (group.initial.rebalance.delay.ms). The registry and the worker come in the " +
    "clear and as nobody: a broker with TLS, SASL or access rules runs apart from them (`millrace broker`).",
  options: {
    data: { value: "DIR", help: "where the log lives", default: "./data" },
    kafka: listenOption,
    registry: { value: "HOST:PORT", help: "address of the schema registry", default: "127.0.0.1:8081" },
    connect: { value: "HOST:PORT", help: "address of the connect worker", default: "127.0.0.1:8083" },
    metrics: { value: "HOST:PORT", help: "serves /metrics for Prometheus, /health and /ready here" },
    config: { value: "FILE", help: "a properties file with Kafka's broker settings" },
    log: LOG_OPTION,
    set: { value: "key=value", help: "one broker setting by Kafka's name; wins over the file", multiple: true },
  },
  run: async ({ options }) => {
    const print = serverPrinter(options.log)
    const registryListen = addressOption("registry", options.registry)
    const connectListen = addressOption("connect", options.connect)
    const config = { ...DEVELOPMENT_SETTINGS, ...brokerSettings({ file: options.config, set: options.set }) }
    const listen = listenAddress("kafka", options.kafka, config)
    checkOpen(config, listen)
    let brokers = ""
    const metrics = options.metrics === undefined ? undefined : addressOption("metrics", options.metrics)
    let registry: Part | undefined
    let broker: BrokerPart | undefined
    const watch = async (at: Address) => {
      const served = await listening("metrics", () => startBrokerMetrics(at, broker!.broker))
      warnOfMetrics(print.broker, at)
      return served
    }
    return serve([
      async () => {
        broker = await listening("kafka", () =>
          startBroker({ dataDir: options.data, listen, config, log: print.broker }),
        )
        brokers = formatAddress(broker.address)
        return broker
      },
      async () => {
        const start = () => startRegistryServer({ brokers, listen: registryListen, config: {} })
        return (registry = await listening("registry", start))
      },
      () => {
        const worker = { brokers, listen: connectListen, config: {}, registryUrl: registry!.at, log: print.connect }
        return listening("connect", () => startConnectWorker(worker))
      },
      ...(metrics === undefined ? [] : [() => watch(metrics)]),
    ])
  },
})
