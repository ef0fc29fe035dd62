/**
 * Settings of a connector, resolved: everything wrong is found at once, and Kafka Connect's validation answer shows it.
 */
import { define, int, parse, password, string } from "@millrace/config"
import { describe, expect, it } from "vitest"
import { configInfos } from "../../src/config/config-infos.ts"
import { Plugins } from "../../src/config/plugins.ts"
import { resolveConnector, type WorkerDefaults } from "../../src/config/resolve.ts"
import { workerConfig } from "../../src/config/worker-config.ts"
import { defineSink, defineSource } from "../../src/connector.ts"
import { standardConverters } from "../../src/converter/standard.ts"

const unused = () => {
  throw new Error("not run here")
}

const source = defineSource({
  kind: "source",
  className: "TestSource",
  aliases: ["org.example.TestSource"],
  version: "1",
  doc: "",
  config: define({
    topic: string({ doc: "Where to." }),
    size: int({ default: 10, min: 1, max: 20, doc: "How many." }),
    secret: password({ default: null, doc: "Shh." }),
  }),
  exactlyOnce: false,
  check: (config) => (config.size === 13 ? [{ key: "size", message: "size brings bad luck" }] : []),
  createTask: unused,
})

const sink = defineSink({
  kind: "sink",
  className: "TestSink",
  version: "1",
  doc: "",
  config: define({}),
  createTask: unused,
})

const plugins = new Plugins([source, sink], standardConverters)

function defaults(settings: Record<string, string> = {}): WorkerDefaults {
  return { settings, values: parse(workerConfig, settings, { unknown: "ignore" }) }
}

const SOURCE = { name: "c", "connector.class": "TestSource", topic: "t" }
const SINK = { name: "c", "connector.class": "TestSink", topics: "a,b" }

function problems(settings: Record<string, string>, worker = defaults()): string[] {
  const found = resolveConnector(plugins, worker, settings)
  expect(found.resolved === undefined).toBe(found.problems.length > 0)
  return found.problems.map((problem) => `${problem.key}: ${problem.message}`)
}

describe("resolving", () => {
  it("answers typed values", () => {
    const { resolved } = resolveConnector(plugins, defaults(), { ...SOURCE, size: "7", "tasks.max": "3" })
    expect(resolved).toMatchObject({
      kind: "source",
      name: "c",
      own: { topic: "t", size: 7 },
      common: { "tasks.max": 3 },
    })
    expect(resolved?.keyConverter.definition.className).toBe("JsonConverter")
  })

  it("finds connectors and converters by alias", () => {
    const settings = {
      ...SOURCE,
      "connector.class": "org.example.TestSource",
      "value.converter": "org.apache.kafka.connect.json.JsonConverter",
      "value.converter.schemas.enable": "false",
    }
    const { resolved } = resolveConnector(plugins, defaults(), settings)
    expect(resolved?.definition).toBe(source)
    expect(resolved?.valueConverter.values).toMatchObject({ "schemas.enable": false })
  })

  it("takes the worker's converter with the worker's settings, never mixed", () => {
    const worker = defaults({ "value.converter": "JsonConverter", "value.converter.schemas.enable": "false" })
    const inherited = resolveConnector(plugins, worker, SOURCE).resolved
    expect(inherited?.valueConverter.values).toMatchObject({ "schemas.enable": false })
    const own = resolveConnector(plugins, worker, { ...SOURCE, "value.converter": "JsonConverter" }).resolved
    expect(own?.valueConverter.values).toMatchObject({ "schemas.enable": true })
  })

  it("passes unknown keys by, as Kafka Connect does", () => {
    expect(problems({ ...SOURCE, "some.other": "x" })).toEqual([])
  })

  const wrong: [name: string, settings: Record<string, string>, expected: RegExp[]][] = [
    ["no class", { name: "c" }, [/^connector\.class: .*required/]],
    [
      "an unknown class",
      { ...SOURCE, "connector.class": "TestSourc" },
      [/^connector\.class: .*"TestSourc".*did you mean TestSource\?/],
    ],
    [
      "everything at once",
      { name: "c", "connector.class": "TestSource", size: "99", "tasks.max": "x" },
      [
        /^tasks\.max: .*"x" must be a whole number/,
        /^topic: .*required/,
        /^size: .*"99" must be a whole number from 1 to 20/,
      ],
    ],
    ["what the connector checks itself", { ...SOURCE, size: "13" }, [/^size: size brings bad luck/]],
    [
      "a converter's setting",
      { ...SOURCE, "value.converter": "JsonConverter", "value.converter.decimal.format": "ROMAN" },
      [/^value\.converter\.decimal\.format: config value\.converter\.decimal\.format: "ROMAN" must be one of/],
    ],
    ["an unknown converter", { ...SOURCE, "key.converter": "XmlConverter" }, [/^key\.converter: .*"XmlConverter"/]],
    [
      "exactly once, required of what cannot",
      { ...SOURCE, "exactly.once.support": "required" },
      [/TestSource cannot be exactly-once/],
    ],
    [
      "a sink without topics",
      { name: "c", "connector.class": "TestSink" },
      [/^topics: .*either topics or topics\.regex/],
    ],
    ["a sink with both", { ...SINK, "topics.regex": "x.*" }, [/^topics: .*either/]],
    [
      "a bad pattern",
      { name: "c", "connector.class": "TestSink", "topics.regex": "(" },
      [/^topics\.regex: .*not a regular expression/],
    ],
    [
      "a dead letter queue that is read",
      { ...SINK, "errors.deadletterqueue.topic.name": "b" },
      [/b is among the topics/],
    ],
  ]
  it.each(wrong)("refuses %s", (_name, settings, expected) => {
    const found = problems(settings)
    expect(found).toHaveLength(expected.length)
    for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern)
  })
})

it("refuses two plugins of one name", () => {
  expect(() => new Plugins([source, { ...sink, className: "TestSource" }], [])).toThrow(
    /two plugins have the name TestSource/,
  )
})

describe("validation answer", () => {
  const settings = { ...SOURCE, size: "99", secret: "hunter2" }
  const infos = configInfos(source, settings, resolveConnector(plugins, defaults(), settings).problems)
  const find = (name: string) => infos.configs.find((one) => one.definition.name === name)

  it("has definitions, values and errors", () => {
    expect(infos).toMatchObject({ name: "TestSource", error_count: 1, groups: ["Common", "Source", "TestSource"] })
    expect(find("size")).toMatchObject({
      definition: { type: "INT", required: false, default_value: "10", importance: "MEDIUM", group: "TestSource" },
      value: { value: "99", visible: true, errors: [expect.stringMatching(/from 1 to 20/)] },
    })
    expect(find("topic")).toMatchObject({ definition: { required: true, default_value: null }, value: { errors: [] } })
    expect(find("transaction.boundary")).toMatchObject({ value: { value: "poll" } })
  })

  it("names the order both ways", () => {
    const { definition } = find("size")!
    expect(definition.order).toBe(definition.order_in_group)
  })

  it("shows no secret", () => {
    expect(JSON.stringify(infos)).not.toContain("hunter2")
  })
})
