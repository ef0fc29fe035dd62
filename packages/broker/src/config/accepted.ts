/**
 * Settings that tune threads, purgatories, buffers, Kerberos, other brokers and Java's TLS, which Kafka has and this broker does not.
 * They are accepted and described, so that a Kafka file loads and tools find what they look for, and they change nothing: the start
 * says so of those that are given.
 */
import {
  boolean,
  className,
  define,
  double,
  int,
  list,
  LONG_MAX,
  long,
  password,
  short,
  string,
} from "@millrace/config"
import type { ServerLog } from "../server-log.ts"

const doc = "Accepted so that a Kafka configuration loads. Has no effect here."
const hidden = true
/** Of one broker. Tools and clients' own test suites change and take them away while it runs. */
const dynamic = "per-broker"

export const acceptedConfig = define({
  "alter.log.dirs.replication.quota.window.num": int({ default: 11, doc, hidden }),
  "auto.include.jmx.reporter": boolean({ default: true, doc, hidden }),
  "auto.leader.rebalance.enable": boolean({ default: true, doc, hidden }),
  "background.threads": int({ default: 10, min: 1, doc, hidden }),
  "broker.heartbeat.interval.ms": int({ default: 2000, doc, hidden }),
  "broker.id": int({ default: -1, doc, hidden }),
  "broker.session.timeout.ms": int({ default: 9000, doc, hidden }),
  "client.quota.callback.class": className({ default: null, doc, hidden }),
  "compression.threads": int({ default: 1, min: 1, doc, hidden }),
  "controlled.shutdown.enable": boolean({ default: true, doc, hidden }),
  "controlled.shutdown.max.retries": int({ default: 3, doc, hidden }),
  "controlled.shutdown.retry.backoff.ms": long({ default: 5000, doc, hidden }),
  "controller.listener.names": list({ default: null, doc, hidden }),
  "controller.quorum.append.linger.ms": int({ default: 25, doc, hidden }),
  "controller.quorum.bootstrap.servers": list({ default: [], doc, hidden }),
  "controller.quorum.election.timeout.ms": int({ default: 1000, min: 0, doc, hidden }),
  "controller.quorum.fetch.timeout.ms": int({ default: 2000, min: 0, doc, hidden }),
  "controller.quorum.request.timeout.ms": int({ default: 2000, doc, hidden }),
  "controller.quorum.retry.backoff.ms": int({ default: 20, doc, hidden }),
  "controller.quorum.voters": list({ default: [], doc, hidden }),
  "delete.records.purgatory.purge.interval.requests": int({ default: 1, doc, hidden }),
  "early.start.listeners": list({ default: null, doc, hidden }),
  "fetch.purgatory.purge.interval.requests": int({ default: 1000, doc, hidden }),
  "follower.replication.throttled.rate": long({ default: LONG_MAX, min: 0, dynamic, doc, hidden }),
  "group.consumer.assignment.interval.ms": int({ default: 1000, min: 0, doc, hidden }),
  "group.consumer.assignor.offload.enable": boolean({ default: true, doc, hidden }),
  "group.coordinator.rebalance.protocols": list({ default: ["classic", "consumer", "streams"], doc, hidden }),
  "group.coordinator.threads": int({ default: 4, min: 1, doc, hidden }),
  "group.streams.assignment.interval.ms": int({ default: 1000, min: 0, doc, hidden }),
  "group.streams.assignor.offload.enable": boolean({ default: true, doc, hidden }),
  "initial.broker.registration.timeout.ms": int({ default: 60_000, doc, hidden }),
  "inter.broker.listener.name": string({ default: null, doc, hidden }),
  "inter.broker.protocol.version": string({ default: null, doc, hidden }),
  "kafka.metrics.polling.interval.secs": int({ default: 10, doc, hidden }),
  "kafka.metrics.reporters": list({ default: [], doc, hidden }),
  "leader.imbalance.check.interval.seconds": long({ default: 300, doc, hidden }),
  "leader.replication.throttled.rate": long({ default: LONG_MAX, min: 0, dynamic, doc, hidden }),
  "log.cleaner.threads": int({ default: 1, min: 0, doc, hidden }),
  "log.dir": string({ default: null, doc: "Replaced by the data directory given at the start.", hidden }),
  "log.dirs": string({ default: null, doc: "Replaced by the data directory given at the start.", hidden }),
  "log.message.format.version": string({ default: null, doc, hidden }),
  "metric.reporters": list({ default: ["org.apache.kafka.common.metrics.JmxReporter"], dynamic, doc, hidden }),
  "metrics.num.samples": int({ default: 2, doc, hidden }),
  "metrics.recording.level": string({ default: "INFO", doc, hidden }),
  "metrics.sample.window.ms": long({ default: 30_000, doc, hidden }),
  "num.io.threads": int({ default: 8, min: 1, doc, hidden }),
  "num.network.threads": int({ default: 3, min: 1, doc, hidden }),
  "num.recovery.threads.per.data.dir": int({ default: 2, min: 1, doc, hidden }),
  "num.replica.alter.log.dirs.threads": int({ default: null, doc, hidden }),
  "num.replica.fetchers": int({ default: 1, min: 1, doc, hidden }),
  "offsets.load.buffer.size": int({ default: 5_242_880, min: 1, doc, hidden }),
  "offsets.topic.compression.codec": int({ default: 0, doc, hidden }),
  "principal.builder.class": className({
    default: "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
    dynamic,
    doc,
    hidden,
  }),
  "process.roles": list({ default: ["broker", "controller"], doc, hidden }),
  "producer.purgatory.purge.interval.requests": int({ default: 1000, doc, hidden }),
  "replica.alter.log.dirs.io.max.bytes.per.second": long({ default: LONG_MAX, min: 0, dynamic, doc, hidden }),
  "replica.fetch.backoff.ms": int({ default: 1000, doc, hidden }),
  "replica.fetch.max.bytes": int({ default: 1_048_576, doc, hidden }),
  "replica.fetch.min.bytes": int({ default: 1, doc, hidden }),
  "replica.fetch.response.max.bytes": int({ default: 10_485_760, doc, hidden }),
  "replica.fetch.wait.max.ms": int({ default: 500, doc, hidden }),
  "replica.lag.time.max.ms": long({ default: 30_000, doc, hidden }),
  "replica.selector.class": string({ default: null, doc, hidden }),
  "replica.socket.receive.buffer.bytes": int({ default: 65_536, doc, hidden }),
  "replica.socket.timeout.ms": int({ default: 30_000, doc, hidden }),
  "replication.quota.window.num": int({ default: 11, doc, hidden }),
  "replication.quota.window.size.seconds": int({ default: 1, doc, hidden }),
  "sasl.kerberos.kinit.cmd": string({ default: "/usr/bin/kinit", dynamic, doc, hidden }),
  "sasl.kerberos.min.time.before.relogin": long({ default: 60_000, dynamic, doc, hidden }),
  "sasl.kerberos.principal.to.local.rules": list({ default: ["DEFAULT"], dynamic, doc, hidden }),
  "sasl.kerberos.service.name": string({ default: null, dynamic, doc, hidden }),
  "sasl.kerberos.ticket.renew.jitter": double({ default: 0.05, dynamic, doc, hidden }),
  "sasl.kerberos.ticket.renew.window.factor": double({ default: 0.8, dynamic, doc, hidden }),
  "sasl.mechanism.inter.broker.protocol": string({ default: "GSSAPI", doc, hidden }),
  "security.inter.broker.protocol": string({ default: "PLAINTEXT", doc, hidden }),
  "security.providers": string({ default: null, doc, hidden }),
  "server.max.startup.time.ms": long({ default: LONG_MAX, doc, hidden }),
  "share.coordinator.state.topic.min.isr": short({ default: 2, min: 1, doc, hidden }),
  "share.coordinator.state.topic.replication.factor": short({ default: 3, min: 1, doc, hidden }),
  "socket.connection.setup.timeout.max.ms": long({ default: 30_000, doc, hidden }),
  "socket.connection.setup.timeout.ms": long({ default: 10_000, doc, hidden }),
  "socket.listen.backlog.size": int({ default: 50, min: 1, doc, hidden }),
  "socket.receive.buffer.bytes": int({ default: 102_400, doc, hidden }),
  "socket.send.buffer.bytes": int({ default: 102_400, doc, hidden }),
  "ssl.endpoint.identification.algorithm": string({ default: "https", doc, hidden }),
  "ssl.engine.factory.class": string({ default: null, doc, hidden }),
  "ssl.keymanager.algorithm": string({ default: "SunX509", doc, hidden }),
  "ssl.keystore.password": password({ default: null, doc, hidden }),
  "ssl.protocol": string({ default: "TLSv1.3", doc, hidden }),
  "ssl.provider": string({ default: null, doc, hidden }),
  "ssl.secure.random.implementation": string({ default: null, doc, hidden }),
  "ssl.trustmanager.algorithm": string({ default: "PKIX", doc, hidden }),
  "ssl.truststore.password": password({ default: null, doc, hidden }),
  "transaction.state.log.load.buffer.size": int({ default: 5_242_880, min: 1, doc, hidden }),
})

interface Instead {
  readonly dataDir: string
  readonly nodeId: number
}

/** What holds in place of a setting without effect, where that is easily taken for something else. */
const INSTEAD: Readonly<Record<string, (instead: Instead) => string>> = {
  "broker.id": ({ nodeId }) => ` (node.id is ${nodeId})`,
  "log.dir": ({ dataDir }) => ` (data is in ${dataDir})`,
  "log.dirs": ({ dataDir }) => ` (data is in ${dataDir})`,
}

/** One warning that names all that were given and have no effect. */
export function tellWithoutEffect(given: Readonly<Record<string, string>>, instead: Instead, log: ServerLog): void {
  const idle = Object.keys(given).filter((key) => Object.hasOwn(acceptedConfig, key))
  if (idle.length === 0) return
  const listed = idle.map((key) => `${key}${INSTEAD[key]?.(instead) ?? ""}`).join(", ")
  const event = { level: "warn", event: "settings-ignored", settings: idle.join(",") } as const
  log(`settings without effect here: ${listed}`, event)
}
