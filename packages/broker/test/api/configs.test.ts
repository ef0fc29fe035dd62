import { ErrorCode } from "@millrace/protocol"
import { AlterConfigs } from "@millrace/protocol/messages/alter-configs"
import { CreatePartitions } from "@millrace/protocol/messages/create-partitions"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { ListConfigResources } from "@millrace/protocol/messages/list-config-resources"
import { describe, expect, test } from "vitest"
import { brokerConfig, topicConfig } from "@millrace/broker"
import { batch, type Client, start } from "../harness.ts"

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const GROUP = 32
const SOURCE = { topic: 1, broker: 2, allBrokers: 3, file: 4, default: 5, group: 8 }

async function describeAll(client: Client, resourceType: number, resourceName: string, keys: string[] | null = null) {
  const { results } = await client.send(DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    includeSynonyms: true,
    includeDocumentation: true,
  })
  return results[0]!
}

async function alter(
  client: Client,
  type: number,
  name: string,
  config: string,
  operation: number,
  value: string | null,
) {
  const { responses } = await client.send(IncrementalAlterConfigs, 1, {
    resources: [
      { resourceType: type, resourceName: name, configs: [{ name: config, configOperation: operation, value }] },
    ],
    validateOnly: false,
  })
  return responses[0]!
}

async function heartbeatInterval(client: Client, groupId: string) {
  // The group's partition of the coordinator's topic has to be made, and read, first.
  await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [groupId] })
  const answer = await client.send(ConsumerGroupHeartbeat, 1, {
    ...{ groupId, memberId: `member of ${groupId}`, memberEpoch: 0, rebalanceTimeoutMs: 60_000 },
    ...{ subscribedTopicNames: ["t"], topicPartitions: [] },
  })
  expect(answer.errorMessage).toBeNull()
  return answer.heartbeatIntervalMs
}

async function listed(client: Client, type: number) {
  const { configResources } = await client.send(ListConfigResources, 1, { resourceTypes: [type] })
  return configResources.map(({ resourceName }) => resourceName)
}

describe("describe configs", () => {
  test("8: every setting of a topic, with defaults, types, documentation", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 1, { "retention.ms": "5" })
    const { configs } = await describeAll(client, TOPIC, "a")
    expect(configs.map(({ name }) => name)).toEqual(Object.keys(topicConfig))
    expect(configs.filter(({ configSource }) => configSource === SOURCE.topic).map(({ name }) => name)).toEqual([
      "retention.ms",
    ])
    const retention = configs.find(({ name }) => name === "retention.ms")!
    expect(retention).toMatchObject({ value: "5", readOnly: false, configType: 5 })
    expect(retention.synonyms.map(({ name, value, source }) => [name, value, source])).toEqual([
      ["retention.ms", "5", SOURCE.topic],
      ["log.retention.hours", "168", SOURCE.default],
    ])
    expect(configs.find(({ name }) => name === "flush.messages")!.value).toBe("9223372036854775807")
    for (const { documentation } of configs) expect(documentation).toBeTruthy()
  })

  test("8: what the broker was started with is where a topic's value comes from", async () => {
    const client = await (await start({ "log.retention.hours": "2" })).client()
    await client.createTopic("a")
    const { configs } = await describeAll(client, TOPIC, "a", ["retention.ms"])
    expect(configs).toMatchObject([{ value: "7200000", configSource: SOURCE.file }])
  })

  test("8: a broker's settings, all of them; one of another broker is refused", async () => {
    const client = await (await start({ "num.partitions": "3" })).client()
    const { configs } = await describeAll(client, BROKER, "1")
    expect(configs.map(({ name }) => name)).toEqual(Object.keys(brokerConfig))
    expect(configs.find(({ name }) => name === "num.partitions")).toMatchObject({
      value: "3",
      configSource: SOURCE.file,
      readOnly: true,
    })
    expect(await describeAll(client, BROKER, "7")).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
    expect(await describeAll(client, TOPIC, "nope")).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  })
})

describe("alter configs", () => {
  test("9: lists grow and shrink, the default being where they start; others cannot", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    const policy = async () => (await describeAll(client, TOPIC, "a", ["cleanup.policy"])).configs[0]!.value
    expect(await alter(client, TOPIC, "a", "cleanup.policy", 2, "compact")).toMatchObject({ errorCode: 0 })
    expect(await policy()).toBe("delete,compact")
    await alter(client, TOPIC, "a", "cleanup.policy", 3, "delete")
    expect(await policy()).toBe("compact")
    await alter(client, TOPIC, "a", "cleanup.policy", 1, null)
    expect(await policy()).toBe("delete")
    const throttled = "leader.replication.throttled.replicas"
    expect(await alter(client, TOPIC, "a", throttled, 0, "1".repeat(20_000))).toMatchObject({ errorCode: 0 })
    const tooLong = await alter(client, TOPIC, "a", throttled, 2, "2".repeat(20_000))
    expect(tooLong).toMatchObject({
      errorCode: ErrorCode.INVALID_CONFIG,
      errorMessage: `Config ${throttled} would be longer than 32767 bytes.`,
    })
    const refused = await alter(client, TOPIC, "a", "retention.ms", 2, "5")
    expect(refused).toMatchObject({ errorCode: ErrorCode.INVALID_CONFIG })
  })

  test("a resource that is named twice is refused each time, and the others are changed", async () => {
    const client = await (await start()).client()
    for (const name of ["a", "b"]) await client.createTopic(name)
    const configs = [{ name: "retention.ms", configOperation: 0, value: "5" }]
    const resources = ["a", "b", "a"].map((resourceName) => ({ resourceType: TOPIC, resourceName, configs }))
    const { responses } = await client.send(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    const twice = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: "Each resource must appear at most once." }
    expect(responses).toMatchObject([twice, { errorCode: ErrorCode.NONE, resourceName: "b" }, twice])
    expect((await describeAll(client, TOPIC, "a", ["retention.ms"])).configs[0]!.value).not.toBe("5")
    expect((await describeAll(client, TOPIC, "b", ["retention.ms"])).configs[0]!.value).toBe("5")
  })

  test("a changed setting holds for the open log at once", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    await client.produce("a", batch(["x".repeat(100)]))
    await alter(client, TOPIC, "a", "max.message.bytes", 0, "100")
    expect(await client.produce("a", batch(["x".repeat(100)]))).toMatchObject({
      errorCode: ErrorCode.MESSAGE_TOO_LARGE,
    })
  })

  test("a dynamic broker setting reaches the topics; restart keeps it", async () => {
    const started = await start()
    const client = await started.client()
    await client.createTopic("a")
    expect(await alter(client, BROKER, "", "message.max.bytes", 0, "100")).toMatchObject({ errorCode: 0 })
    expect(await client.produce("a", batch(["x".repeat(100)]))).toMatchObject({
      errorCode: ErrorCode.MESSAGE_TOO_LARGE,
    })
    expect((await describeAll(client, TOPIC, "a", ["max.message.bytes"])).configs[0]).toMatchObject({
      value: "100",
      configSource: SOURCE.allBrokers,
    })
    await started.broker.close()
    const again = await (await start({}, { dataDir: started.dataDir })).client()
    expect(await again.produce("a", batch(["x".repeat(100)]))).toMatchObject({ errorCode: ErrorCode.MESSAGE_TOO_LARGE })
  })

  test("8: settings of Kerberos, which has no effect here, are set and described all the same", async () => {
    const client = await (await start()).client()
    const name = "sasl.kerberos.min.time.before.relogin"
    expect(await alter(client, BROKER, "1", name, 0, "58000")).toMatchObject({ errorCode: ErrorCode.NONE })
    const { configs } = await describeAll(client, BROKER, "1", [name])
    expect(configs.map((one) => [one.name, one.value, one.configSource, one.readOnly])).toEqual([
      [name, "58000", SOURCE.broker, false],
    ])
    expect(await alter(client, BROKER, "", name, 0, "58000")).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })

  test("95: a group's settings are its own, else the broker's; its members hear of them; restart keeps them", async () => {
    const started = await start({ "group.streams.session.timeout.ms": "50000" })
    const client = await started.client()
    const interval = "consumer.heartbeat.interval.ms"
    expect(await alter(client, GROUP, "g", interval, 0, "7000")).toMatchObject({ errorCode: 0 })
    const { configs } = await describeAll(client, GROUP, "g", [interval, "streams.session.timeout.ms"])
    expect(configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
      [interval, "7000", SOURCE.group],
      ["streams.session.timeout.ms", "50000", SOURCE.file],
    ])
    expect(configs[0]!.synonyms.map(({ name, value, source }) => [name, value, source])).toEqual([
      [interval, "7000", SOURCE.group],
      ["group.consumer.heartbeat.interval.ms", "5000", SOURCE.default],
    ])
    expect(await heartbeatInterval(client, "g")).toBe(7000)
    expect(await heartbeatInterval(client, "other")).toBe(5000)
    await started.broker.close()
    const restarted = await start({}, { dataDir: started.dataDir })
    const again = await restarted.client()
    expect(await heartbeatInterval(again, "g")).toBe(7000)
    expect(await listed(again, GROUP)).toEqual(["g"])
    await alter(again, GROUP, "g", interval, 1, null)
    expect(await heartbeatInterval(again, "g")).toBe(5000)
    expect(await listed(again, GROUP)).toEqual([])
  })

  test("95: a group's setting out of the broker's bounds is refused, and so is one that a group has not", async () => {
    const client = await (await start()).client()
    const refusals: [name: string, value: string, said: string][] = [
      ["consumer.session.timeout.ms", "60001", "no more than 60000"],
      ["consumer.session.timeout.ms", "soon", "must be a whole number"],
      ["streams.num.standby.replicas", "3", "no more than 2"],
      ["session.timeout.ms", "50000", "Unknown config name"],
    ]
    for (const [name, value, said] of refusals) {
      const answer = await alter(client, GROUP, "g", name, 0, value)
      expect(answer, name).toMatchObject({ errorCode: ErrorCode.INVALID_CONFIG })
      expect(answer.errorMessage, name).toContain(said)
    }
    expect(await alter(client, GROUP, "", "consumer.session.timeout.ms", 0, "50000")).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
    expect(await describeAll(client, GROUP, "")).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
    expect(await listed(client, GROUP)).toEqual([])
  })

  test("what settings of a topic cannot have beside each other is refused", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 1, { "max.compaction.lag.ms": "5" })
    const refused = { errorCode: ErrorCode.INVALID_CONFIG }
    expect(await alter(client, TOPIC, "a", "min.compaction.lag.ms", 0, "6")).toMatchObject(refused)
    expect(await alter(client, TOPIC, "a", "min.compaction.lag.ms", 0, "5")).toMatchObject({ errorCode: 0 })
    const configs = { "min.compaction.lag.ms": "6", "max.compaction.lag.ms": "5" }
    await expect(client.createTopic("b", 1, configs)).rejects.toThrow(/max.compaction.lag.ms, 5, is less/)
  })

  test.each([
    [TOPIC, "", "retention.ms", "1", ErrorCode.INVALID_REQUEST],
    [TOPIC, "a b", "retention.ms", "1", ErrorCode.INVALID_TOPIC_EXCEPTION],
    [TOPIC, "nowhere", "retention.ms", "1", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    [TOPIC, "nowhere", "retention.ms", "soon", ErrorCode.INVALID_CONFIG],
    [TOPIC, "nowhere", "no.such.config", null, ErrorCode.INVALID_REQUEST],
    [BROKER, "8", "no.such.config", "1", ErrorCode.INVALID_REQUEST],
    [BROKER, "", "log.retention.ms", "soon", ErrorCode.INVALID_REQUEST],
  ])("of resource %i %j setting %s to %s gives %i", async (type, name, config, value, errorCode) => {
    const client = await (await start()).client()
    expect(await alter(client, type, name, config, 0, value)).toMatchObject({ errorCode })
  })

  test("loggers are a certain broker's", async () => {
    const client = await (await start({ "node.id": "7" })).client()
    expect(await describeAll(client, BROKER_LOGGER, "7")).toMatchObject({ errorCode: 0 })
    expect(await describeAll(client, BROKER_LOGGER, "8")).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })

  test("resources of a type that is asked for twice are listed once", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    const { configResources } = await client.send(ListConfigResources, 1, { resourceTypes: [TOPIC, TOPIC] })
    expect(configResources.map(({ resourceName }) => resourceName)).toEqual(["a"])
  })

  test("AlterConfigs refuses a setting that is given twice", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    const configs = ["5", "7"].map((value) => ({ name: "segment.ms", value }))
    const { responses } = await client.send(AlterConfigs, 2, {
      resources: [{ resourceType: TOPIC, resourceName: "a", configs }],
      validateOnly: false,
    })
    expect(responses[0]).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })

  test("AlterConfigs replaces all", async () => {
    const client = await (await start()).client()
    await client.createTopic("a", 1, { "retention.ms": "5" })
    const configs = [{ name: "segment.ms", value: "7" }]
    await client.send(AlterConfigs, 2, {
      resources: [{ resourceType: TOPIC, resourceName: "a", configs }],
      validateOnly: false,
    })
    const own = (await describeAll(client, TOPIC, "a")).configs.filter(({ configSource }) => configSource === 1)
    expect(own.map(({ name, value }) => [name, value])).toEqual([["segment.ms", "7"]])
  })
})

describe("topics", () => {
  test("11: v7 answers id, counts and settings; validateOnly creates nothing", async () => {
    const client = await (await start({ "num.partitions": "3" })).client()
    const topic = { name: "a", numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    const validated = await client.send(CreateTopics, 7, { topics: [topic], validateOnly: true })
    expect(validated.topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
    const { topics } = await client.send(CreateTopics, 7, { topics: [topic] })
    expect(topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3 })
    expect(topics[0]!.topicId).toBe(await client.topicId("a"))
    expect(topics[0]!.configs!.map(({ name }) => name)).toEqual(Object.keys(topicConfig))
  })

  test("10: every topic is answered; new partitions take records", async () => {
    const client = await (await start()).client()
    await client.createTopic("a")
    const grow = { count: 2, assignments: null }
    const { results } = await client.send(CreatePartitions, 3, {
      topics: [
        { name: "a", ...grow },
        { name: "b", ...grow },
      ],
      timeoutMs: 1000,
      validateOnly: false,
    })
    expect(results.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ["a", 0],
      ["b", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    expect(await client.produce("a", batch(["x"]), { partition: 1 })).toMatchObject({ errorCode: 0 })
  })
})
