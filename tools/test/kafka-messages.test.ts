/** The comparison with Kafka's definitions: silent when they say the same, one line for whatever differs. */
import { describe, expect, it } from "vitest"
import { compareAll, compareMessage, type KafkaMessage, ourMessages, parseDefinition } from "../src/kafka-messages.ts"

const definition = `{
  // A definition as Kafka would write it for OffsetCommitValue, in JSON with "comments".
  "name": "OffsetCommitValue", "type": "coordinator-value", "apiKey": 1, // the record's type
  "validVersions": "0-4", "flexibleVersions": "4+",
  "fields": [
    { "name": "offset", "type": "int64", "versions": "0+" },
    { "name": "leaderEpoch", "type": "int32", "versions": "3+", "default": -1, "ignorable": true },
    { "name": "metadata", "type": "string", "versions": "0+" },
    { "name": "commitTimestamp", "type": "int64", "versions": "0-4" },
    { "name": "expireTimestamp", "type": "int64", "versions": "1", "default": "-1", "ignorable": true },
    { "name": "topicId", "type": "uuid", "versions": "4+", "taggedVersions": "4+", "tag": 0, "ignorable": true }
  ]
}`
const ours = ourMessages().get("OffsetCommitValue")!

function changed(change: (message: Required<KafkaMessage>) => void): string[] {
  const message = parseDefinition(definition) as Required<KafkaMessage>
  change(message)
  return compareMessage(ours, message)
}

describe("comparing with Kafka's definitions", () => {
  it("says nothing when they agree", () => {
    expect(changed(() => undefined)).toEqual([])
  })

  it.each<[string, (message: Required<KafkaMessage>) => void, string]>([
    ["a version more", (m) => (m.validVersions = "0-5"), "valid versions is 0-4, Kafka has 0-5"],
    ["another flexible version", (m) => (m.flexibleVersions = "3+"), "flexible versions is 4-4, Kafka has 3-4"],
    ["another record type", (m) => (m.apiKey = 7), "record type is 1, Kafka has 7"],
    ["a field less", (m) => m.fields.pop(), "list of fields is"],
    ["another order", (m) => (m.fields = m.fields.toReversed()), "list of fields is"],
    ["another type", (m) => (m.fields[0]!.type = "int32"), ".offset: type is int64, Kafka has int32"],
    ["other versions", (m) => (m.fields[1]!.versions = "2+"), ".leaderEpoch: versions is 3-4, Kafka has 2-4"],
    ["another default", (m) => (m.fields[1]!.default = "-2"), ".leaderEpoch: default is -1, Kafka has -2"],
    ["a nullable field", (m) => (m.fields[2]!.nullableVersions = "2+"), "nullable versions is none, Kafka has 2-4"],
    ["a field that may be dropped", (m) => (m.fields[2]!.ignorable = true), "ignorable is false, Kafka has true"],
    ["another tag", (m) => (m.fields[5]!.tag = 1), ".topicId: tag is 0, Kafka has 1"],
    ["an array", (m) => (m.fields[2]!.type = "[]string"), "type is string, Kafka has []string"],
    ["a struct", (m) => (m.fields[2]!.type = "[]Part"), "type is string, Kafka has []struct"],
  ])("reports %s", (_what, change, difference) => {
    expect(changed(change).join("\n")).toContain(difference)
  })

  it("reports messages that one side lacks", () => {
    const { compared, differences } = compareAll([
      parseDefinition(definition),
      { name: "NewRequest", type: "request", apiKey: 200, validVersions: "0" },
      { name: "GoneRequest", type: "request", apiKey: 4, validVersions: "none" },
    ])
    expect(compared).toBe(1)
    expect(differences).toContain("NewRequest: our table lacks it")
    expect(differences).toContain("FetchRequest: none of the definitions given is of this name")
    expect(differences.some((difference) => difference.startsWith("GoneRequest"))).toBe(false)
  })
})
