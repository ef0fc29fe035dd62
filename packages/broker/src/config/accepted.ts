/**
 * Settings that tune threads, purgatories, buffers and Kerberos, which Kafka has and this broker does not. They are
 * accepted and described, so that a Kafka file loads and tools find what they look for, and they change nothing.
 */
import { boolean, define, double, int, list, LONG_MAX, long, short, string } from "@millrace/config"

const doc = "Accepted so that a Kafka configuration loads. Has no effect here."
const hidden = true
/** Of one broker. Tools and clients' own test suites change and take them away while it runs. */
const dynamic = "per-broker"

export const acceptedConfig = define({
  "auto.leader.rebalance.enable": boolean({ default: true, doc, hidden }),
  "background.threads": int({ default: 10, min: 1, doc, hidden }),
  "broker.heartbeat.interval.ms": int({ default: 2000, doc, hidden }),
  "broker.id": int({ default: -1, doc, hidden }),
  "broker.session.timeout.ms": int({ default: 9000, doc, hidden }),
  "compression.threads": int({ default: 1, min: 1, doc, hidden }),
  "controller.listener.names": list({ default: null, doc, hidden }),
  "controller.quorum.bootstrap.servers": list({ default: [], doc, hidden }),
  "controller.quorum.voters": list({ default: [], doc, hidden }),
  "controller.quorum.election.timeout.ms": int({ default: 1000, min: 0, doc, hidden }),
  "controller.quorum.fetch.timeout.ms": int({ default: 2000, min: 0, doc, hidden }),
  "controlled.shutdown.enable": boolean({ default: true, doc, hidden }),
  "delete.records.purgatory.purge.interval.requests": int({ default: 1, doc, hidden }),
  "fetch.purgatory.purge.interval.requests": int({ default: 1000, doc, hidden }),
  "follower.replication.throttled.rate": long({ default: LONG_MAX, min: 0, dynamic, doc, hidden }),
  "group.consumer.assignment.interval.ms": int({ default: 1000, min: 0, doc, hidden }),
  "group.consumer.assignor.offload.enable": boolean({ default: true, doc, hidden }),
  "group.coordinator.rebalance.protocols": list({ default: ["classic", "consumer", "streams"], doc, hidden }),
  "group.coordinator.threads": int({ default: 4, min: 1, doc, hidden }),
  "group.streams.assignment.interval.ms": int({ default: 1000, min: 0, doc, hidden }),
  "group.streams.assignor.offload.enable": boolean({ default: true, doc, hidden }),
  "inter.broker.listener.name": string({ default: null, doc, hidden }),
  "leader.replication.throttled.rate": long({ default: LONG_MAX, min: 0, dynamic, doc, hidden }),
  "log.cleaner.threads": int({ default: 1, min: 0, doc, hidden }),
  "log.dir": string({ default: null, doc: "Replaced by the data directory given at the start.", hidden }),
  "log.dirs": string({ default: null, doc: "Replaced by the data directory given at the start.", hidden }),
  "num.io.threads": int({ default: 8, min: 1, doc, hidden }),
  "num.network.threads": int({ default: 3, min: 1, doc, hidden }),
  "num.recovery.threads.per.data.dir": int({ default: 2, min: 1, doc, hidden }),
  "num.replica.alter.log.dirs.threads": int({ default: null, doc, hidden }),
  "num.replica.fetchers": int({ default: 1, min: 1, doc, hidden }),
  "offsets.load.buffer.size": int({ default: 5_242_880, min: 1, doc, hidden }),
  "offsets.topic.compression.codec": int({ default: 0, doc, hidden }),
  "process.roles": list({ default: ["broker", "controller"], doc, hidden }),
  "producer.purgatory.purge.interval.requests": int({ default: 1000, doc, hidden }),
  "replica.alter.log.dirs.io.max.bytes.per.second": long({ default: LONG_MAX, min: 0, dynamic, doc, hidden }),
  "replica.fetch.max.bytes": int({ default: 1_048_576, doc, hidden }),
  "replica.fetch.min.bytes": int({ default: 1, doc, hidden }),
  "replica.fetch.wait.max.ms": int({ default: 500, doc, hidden }),
  "replica.lag.time.max.ms": long({ default: 30_000, doc, hidden }),
  "replica.socket.receive.buffer.bytes": int({ default: 65_536, doc, hidden }),
  "replica.socket.timeout.ms": int({ default: 30_000, doc, hidden }),
  "sasl.kerberos.kinit.cmd": string({ default: "/usr/bin/kinit", dynamic, doc, hidden }),
  "sasl.kerberos.min.time.before.relogin": long({ default: 60_000, dynamic, doc, hidden }),
  "sasl.kerberos.principal.to.local.rules": list({ default: ["DEFAULT"], dynamic, doc, hidden }),
  "sasl.kerberos.service.name": string({ default: null, dynamic, doc, hidden }),
  "sasl.kerberos.ticket.renew.jitter": double({ default: 0.05, dynamic, doc, hidden }),
  "sasl.kerberos.ticket.renew.window.factor": double({ default: 0.8, dynamic, doc, hidden }),
  "security.inter.broker.protocol": string({ default: "PLAINTEXT", doc, hidden }),
  "server.max.startup.time.ms": long({ default: LONG_MAX, doc, hidden }),
  "share.coordinator.state.topic.min.isr": short({ default: 2, min: 1, doc, hidden }),
  "share.coordinator.state.topic.replication.factor": short({ default: 3, min: 1, doc, hidden }),
  "socket.listen.backlog.size": int({ default: 50, min: 1, doc, hidden }),
  "socket.receive.buffer.bytes": int({ default: 102_400, doc, hidden }),
  "socket.send.buffer.bytes": int({ default: 102_400, doc, hidden }),
  "transaction.state.log.load.buffer.size": int({ default: 5_242_880, min: 1, doc, hidden }),
})
