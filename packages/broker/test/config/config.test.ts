import { parse, parseProperties } from "@millrace/config"
import { describe, expect, test } from "vitest"
import { brokerConfig, topicConfig } from "@millrace/broker"
import { ConfigView } from "../../src/config/view.ts"
import { logConfigOf } from "../../src/config/log-config.ts"
import { ConfigResourceType, MetadataImage } from "../../src/controller/image.ts"

/** The settings that Kafka's own example of a broker and controller in one process has. */
const kafkaExample = `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`

test("a Kafka configuration file loads as it is", () => {
  const values = parse(brokerConfig, parseProperties(kafkaExample, "server.properties"))
  expect(values["offsets.topic.replication.factor"]).toBe(1)
})

test("every entry has documentation and a default, and its default is a value it accepts", () => {
  for (const [name, entry] of [...Object.entries(brokerConfig), ...Object.entries(topicConfig)]) {
    expect(entry.doc, name).not.toBe("")
    expect(entry.required, name).toBe(false)
    const printed = entry.default === null ? null : entry.print(entry.default as never)
    if (printed !== null) expect(entry.read(printed), name).toEqual(entry.default)
  }
})

test("every synonym of a topic's setting is a broker's setting", () => {
  for (const [name, { synonyms }] of Object.entries(topicConfig)) {
    for (const synonym of synonyms) expect(Object.keys(brokerConfig), name).toContain(synonym.name)
  }
})

describe("settings in effect", () => {
  function view(given: Record<string, string>) {
    const image = new MetadataImage()
    const set = (resourceType: number, resourceName: string, name: string, value: string | null) =>
      image.replay({ type: "ConfigRecord", data: { resourceType, resourceName, name, value } }, image.offset + 1)
    return { configs: new ConfigView(image, given, 1), set }
  }

  test("topic over this broker over all brokers over the file over the default; each falls back when deleted", () => {
    const { configs, set } = view({ "log.retention.hours": "2" })
    const retention = () => configs.topic("a")["retention.ms"]
    expect(retention()).toBe(7_200_000)
    set(ConfigResourceType.BROKER, "", "log.retention.ms", "3")
    expect(retention()).toBe(3)
    set(ConfigResourceType.BROKER, "1", "log.retention.ms", "2")
    expect(retention()).toBe(2)
    set(ConfigResourceType.TOPIC, "a", "retention.ms", "1")
    expect(retention()).toBe(1)
    expect(configs.topic("b")["retention.ms"]).toBe(2)
    set(ConfigResourceType.TOPIC, "a", "retention.ms", null)
    set(ConfigResourceType.BROKER, "1", "log.retention.ms", null)
    set(ConfigResourceType.BROKER, "", "log.retention.ms", null)
    expect(retention()).toBe(7_200_000)
    expect(view({}).configs.topic("a")["retention.ms"]).toBe(604_800_000)
  })

  test("unchanged settings are parsed once", () => {
    const { configs, set } = view({})
    set(ConfigResourceType.TOPIC, "a", "retention.ms", "1")
    expect(configs.topic("a")).toBe(configs.topic("a"))
    expect(configs.topic("b")).toBe(configs.topic("c"))
  })

  test("a log gets its topic's settings", () => {
    const { configs, set } = view({ "producer.id.expiration.ms": "9" })
    set(ConfigResourceType.TOPIC, "a", "compression.type", "uncompressed")
    set(ConfigResourceType.TOPIC, "a", "internal.segment.bytes", "100")
    set(ConfigResourceType.TOPIC, "a", "cleanup.policy", "compact,delete")
    expect(logConfigOf(configs.topic("a"), configs.broker)).toMatchObject({
      compressionType: "none",
      segmentBytes: 100,
      cleanupPolicy: ["compact", "delete"],
      producerIdExpirationMs: 9,
    })
  })
})
