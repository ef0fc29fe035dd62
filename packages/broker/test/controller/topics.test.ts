import { ErrorCode } from "@millrace/protocol"
import { describe, expect, test } from "vitest"
import { placeReplicas } from "../../src/controller/assignments.ts"
import { registerBroker } from "../../src/controller/brokers.ts"
import { alterConfigsIncrementally, ConfigOperation, replaceConfigs } from "../../src/controller/configs.ts"
import { createToken } from "../../src/controller/delegation-tokens.ts"
import { ConfigResourceType, MetadataImage } from "../../src/controller/image.ts"
import { allocateProducerIds } from "../../src/controller/producer-ids.ts"
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from "../../src/controller/records.ts"
import { encodeSnapshot, imageRecords, isCompleteSnapshot, readMetadata } from "../../src/controller/snapshot.ts"
import { createPartitions, createTopics, deleteTopic } from "../../src/controller/topics.ts"

const defaults = { numPartitions: 2, replicationFactor: 1, partitionsMax: 100 }
const uuid = (number: number) => `AAAAAAAAAAAAAAAAAAAA${String(number).padStart(1, "0")}A`

function image(brokers = [1]): MetadataImage {
  const made = new MetadataImage()
  for (const brokerId of brokers) {
    const registration = {
      brokerId,
      incarnationId: uuid(9),
      endpoints: [{ name: "PLAINTEXT", host: "h", port: 9092, protocol: "PLAINTEXT" as const }],
      rack: null,
      directoryId: uuid(8),
      cleanShutdown: true,
    }
    apply(made, registerBroker(made, registration, made.offset + 1))
  }
  return made
}

function apply(target: MetadataImage, records: readonly MetadataRecord[]): void {
  // Through the bytes, so that what is not encoded is not seen either.
  for (const record of records) target.replay(decodeMetadataRecord(encodeMetadataRecord(record)), target.offset + 1)
}

const topic = (name: string, rest: object = {}) => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...rest,
})

/** Without a quota. */
const free = () => {}

function create(target: MetadataImage, ...topics: ReturnType<typeof topic>[]) {
  let next = 1
  const decision = createTopics(target, { topics, validateOnly: false }, defaults, () => uuid(next++), free)
  apply(target, decision.records)
  return decision.response
}

describe("create topics", () => {
  test("11: -1 takes the defaults; the image has the topic by name and id", () => {
    const target = image()
    const [result] = create(target, topic("a"))
    expect(result).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 1, topicId: uuid(1) })
    expect(target.topic("a")).toBe(target.topicById(uuid(1)))
    expect(target.partition("a", 1)).toMatchObject({ leader: 1, isr: [1], replicas: [1], leaderEpoch: 0 })
    expect(target.partitionCount).toBe(2)
  })

  test.each([
    [topic(""), ErrorCode.INVALID_TOPIC_EXCEPTION],
    [topic("a b"), ErrorCode.INVALID_TOPIC_EXCEPTION],
    [topic(".."), ErrorCode.INVALID_TOPIC_EXCEPTION],
    [topic("a".repeat(250)), ErrorCode.INVALID_TOPIC_EXCEPTION],
    [topic("__cluster_metadata"), ErrorCode.INVALID_TOPIC_EXCEPTION],
    [topic("old.topic"), ErrorCode.INVALID_TOPIC_EXCEPTION],
    [topic("old_topic"), ErrorCode.TOPIC_ALREADY_EXISTS],
    [topic("a", { numPartitions: 0 }), ErrorCode.INVALID_PARTITIONS],
    [topic("a", { numPartitions: 101 }), ErrorCode.INVALID_PARTITIONS],
    [topic("a", { numPartitions: 100 }), ErrorCode.POLICY_VIOLATION],
    [topic("a", { replicationFactor: 2 }), ErrorCode.INVALID_REPLICATION_FACTOR],
    [topic("a", { configs: [{ name: "nope", value: "1" }] }), ErrorCode.INVALID_CONFIG],
    [topic("a", { configs: [{ name: "segment.ms", value: "0" }] }), ErrorCode.INVALID_CONFIG],
    [topic("a", { configs: [{ name: "segment.ms", value: null }] }), ErrorCode.INVALID_CONFIG],
    [topic("a", { numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] }), ErrorCode.INVALID_REQUEST],
    [topic("a", { assignments: [{ partitionIndex: 1, brokerIds: [1] }] }), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    [topic("a", { assignments: [{ partitionIndex: 0, brokerIds: [7] }] }), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    [topic("a", { assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }] }), ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  ])("refuses %o", (asked, code) => {
    const target = image()
    create(target, topic("old_topic", { numPartitions: 1 }))
    const before = target.partitionCount
    const [result] = create(target, asked)
    expect(result!.errorCode).toBe(code)
    expect(target.partitionCount).toBe(before)
  })

  test("a topic that is there is told so before what else is wrong with it", () => {
    const target = image()
    create(target, topic("a"))
    const assignments = [{ partitionIndex: 0, brokerIds: [1] }]
    expect(create(target, topic("a", { numPartitions: 1, assignments }))[0]).toMatchObject({
      errorCode: ErrorCode.TOPIC_ALREADY_EXISTS,
    })
  })

  test("a name given twice is refused once; the others are created", () => {
    const target = image()
    const results = create(target, topic("a"), topic("b"), topic("a"))
    expect(results.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ["a", ErrorCode.INVALID_REQUEST],
      ["b", ErrorCode.NONE],
    ])
    expect(target.topic("a")).toBeUndefined()
  })

  test("11: validateOnly answers and changes nothing", () => {
    const decision = createTopics(image(), { topics: [topic("a")], validateOnly: true }, defaults, () => uuid(1), free)
    expect(decision.records).toEqual([])
    expect(decision.response[0]).toMatchObject({ errorCode: 0, numPartitions: 2 })
  })

  test("replicas spread over brokers, leaders too", () => {
    const { replicas } = placeReplicas([1, 2, 3], 6, 2, 0)
    expect(replicas.map((each) => each[0])).toEqual([1, 2, 3, 1, 2, 3])
    for (const each of replicas) expect(new Set(each).size).toBe(2)
    expect(replicas[0]).not.toEqual(replicas[3])
  })
})

describe("change and delete", () => {
  test("6: a recreated topic has another id, and its settings are gone", () => {
    const target = image()
    create(target, topic("a", { configs: [{ name: "retention.ms", value: "5" }] }))
    const old = target.topic("a")!
    apply(target, deleteTopic(target, old))
    expect(target.topic("a")).toBeUndefined()
    expect(target.partitionCount).toBe(0)
    const decision = createTopics(target, { topics: [topic("a")], validateOnly: false }, defaults, () => uuid(5), free)
    apply(target, decision.records)
    expect(target.topicById(old.topicId)).toBeUndefined()
    expect(target.topic("a")!.topicId).toBe(uuid(5))
    expect(target.configs(ConfigResourceType.TOPIC, "a")).toEqual({})
  })

  test.each([
    [3, null, ErrorCode.NONE],
    [2, null, ErrorCode.INVALID_PARTITIONS],
    [1, null, ErrorCode.INVALID_PARTITIONS],
    [101, null, ErrorCode.INVALID_PARTITIONS],
    [3, [{ brokerIds: [1] }, { brokerIds: [1] }], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
    [3, [{ brokerIds: [1] }], ErrorCode.NONE],
  ])("10: grow to %o with %o", (count, assignments, code) => {
    const target = image()
    create(target, topic("a"))
    const request = {
      topics: [
        { name: "a", count, assignments },
        { name: "b", count, assignments },
      ],
      validateOnly: false,
    }
    const decision = createPartitions(target, request, 100, free)
    apply(target, decision.records)
    expect(decision.response.map(({ errorCode }) => errorCode)).toEqual([code, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect(target.topic("a")!.partitions).toHaveLength(code === ErrorCode.NONE ? count : 2)
  })

  test("an unclean restart starts new leader epochs", () => {
    const target = image()
    create(target, topic("a"))
    const registration = {
      brokerId: 1,
      incarnationId: uuid(7),
      endpoints: [],
      rack: null,
      directoryId: uuid(8),
      cleanShutdown: false,
    }
    apply(target, registerBroker(target, registration, 50))
    expect(target.broker(1)!.epoch).toBe(50)
    expect(target.partition("a", 0)).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 1 })
  })

  test("producer ids come in blocks that do not overlap", () => {
    const target = image()
    const first = allocateProducerIds(target, 1)
    apply(target, first.records)
    const second = allocateProducerIds(target, 1)
    expect(second.response.firstProducerId).toBe(first.response.firstProducerId + first.response.size)
  })
})

describe("settings", () => {
  const resource = { resourceType: ConfigResourceType.TOPIC, resourceName: "a" }
  const effective = () => "delete"

  test.each([
    ["cleanup.policy", ConfigOperation.APPEND, "compact", "delete,compact"],
    ["cleanup.policy", ConfigOperation.APPEND, "delete", "delete"],
    ["cleanup.policy", ConfigOperation.SUBTRACT, "delete", ""],
    ["retention.ms", ConfigOperation.SET, "7", "7"],
    ["retention.ms", ConfigOperation.DELETE, null, undefined],
    ["retention.of.old", ConfigOperation.DELETE, null, undefined],
  ])("9: %s, operation %o, %o", (name, operation, value, expected) => {
    const target = image()
    create(target, topic("a", { configs: [{ name: "retention.ms", value: "5" }] }))
    apply(target, alterConfigsIncrementally(target, resource, [{ name, operation, value }], effective))
    expect(target.configs(ConfigResourceType.TOPIC, "a")[name]).toBe(expected)
  })

  test.each([
    ["retention.ms", ConfigOperation.APPEND, "5", ErrorCode.INVALID_CONFIG, "is no list"],
    ["retention.mss", ConfigOperation.SET, "5", ErrorCode.INVALID_CONFIG, "Did you mean retention.ms?"],
    ["retention.ms", ConfigOperation.SET, "x", ErrorCode.INVALID_CONFIG, "must be a whole number"],
    ["retention.ms", ConfigOperation.SET, null, ErrorCode.INVALID_REQUEST, "has no value"],
    ["retention.ms", 9, "5", ErrorCode.INVALID_REQUEST, "Unknown config operation 9"],
  ])("9: refuses %s, operation %o, %o", (name, operation, value, code, message) => {
    const target = image()
    create(target, topic("a"))
    const act = () => alterConfigsIncrementally(target, resource, [{ name, operation, value }], effective)
    expect(act).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  })

  test("a broker's read-only settings cannot be changed, its dynamic ones can", () => {
    const target = image()
    const broker = { resourceType: ConfigResourceType.BROKER, resourceName: "" }
    const set = (name: string, value: string) =>
      alterConfigsIncrementally(target, broker, [{ name, operation: ConfigOperation.SET, value }], effective)
    expect(() => set("num.partitions", "5")).toThrow("is read when a broker starts")
    apply(target, set("log.retention.ms", "5"))
    expect(target.configs(ConfigResourceType.BROKER, "")).toEqual({ "log.retention.ms": "5" })
  })

  test("a group may have settings before it is there; there are none for all groups", () => {
    const target = image()
    const set = (resourceName: string, name: string) =>
      alterConfigsIncrementally(
        target,
        { resourceType: ConfigResourceType.GROUP, resourceName },
        [{ name, operation: ConfigOperation.SET, value: "50000" }],
        effective,
      )
    apply(target, set("g", "consumer.session.timeout.ms"))
    expect(target.configs(ConfigResourceType.GROUP, "g")).toEqual({ "consumer.session.timeout.ms": "50000" })
    expect(target.configuredResources(ConfigResourceType.GROUP)).toEqual(["g"])
    expect(() => set("", "consumer.session.timeout.ms")).toThrow("no settings for all groups")
    expect(() => set("g", "session.timeout.ms")).toThrow("Unknown config name: session.timeout.ms.")
  })

  test("replacing drops what is not named", () => {
    const target = image()
    create(target, topic("a", { configs: [{ name: "retention.ms", value: "5" }] }))
    apply(target, replaceConfigs(target, resource, [{ name: "segment.ms", value: "6" }]))
    expect(target.configs(ConfigResourceType.TOPIC, "a")).toEqual({ "segment.ms": "6" })
  })
})

describe("snapshot", () => {
  test("an image survives its snapshot; a torn file is not taken for one", () => {
    const target = image([1, 2])
    create(target, topic("a", { configs: [{ name: "retention.ms", value: "5" }] }), topic("b"))
    const group = { resourceType: ConfigResourceType.GROUP, resourceName: "g" }
    apply(target, replaceConfigs(target, group, [{ name: "consumer.session.timeout.ms", value: "50000" }]))
    apply(target, allocateProducerIds(target, 1).records)
    apply(target, [{ type: "FeatureLevelRecord", data: { name: "metadata.version", featureLevel: 25 } }])
    const lifetimes = { maxLifetimeMs: 100, expiryTimeMs: 10 }
    const wanted = { owner: "User:a", requester: "User:b", renewers: ["User:c"], maxLifetimeMs: -1 }
    const { records, response: token } = createToken(wanted, lifetimes, uuid(7), 1000)
    apply(target, records)
    const bytes = Buffer.concat(encodeSnapshot(target, [], 3, 1000))
    expect(isCompleteSnapshot(bytes)).toBe(true)
    expect(isCompleteSnapshot(bytes.subarray(0, -1))).toBe(false)
    const copy = new MetadataImage()
    const offsets: number[] = []
    readMetadata(bytes, (record, offset, epoch) => {
      expect(epoch).toBe(3)
      offsets.push(offset)
      copy.replay(record, offset)
    })
    expect(imageRecords(copy)).toEqual(imageRecords(target))
    expect([...copy.delegationTokens()]).toEqual([token])
    // Three control records come before them.
    expect(offsets).toEqual(offsets.map((_, index) => index + 3))
  })
})
