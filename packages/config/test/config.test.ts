import { describe as suite, expect, expectTypeOf, test } from "vitest"
import {
  boolean,
  ConfigSource,
  defaults,
  define,
  describe,
  helpMarkdown,
  helpText,
  int,
  list,
  LONG_MAX,
  long,
  oneOf,
  parse,
  parseOne,
  parseProperties,
  password,
  string,
  type Values,
} from "@millrace/config"

const table = define({
  "log.segment.bytes": int({ default: 1024, min: 14, doc: "Size of a segment." }),
  "log.retention.ms": long({
    default: 604_800_000,
    min: -1,
    doc: "How long records stay.",
    synonyms: [{ name: "log.retention.hours", scale: 3_600_000 }],
    dynamic: "cluster-wide",
  }),
  "log.flush.ms": long({ default: LONG_MAX, doc: "No limit." }),
  "compression.type": oneOf(["none", "gzip"], { default: "none", doc: "Codec." }),
  "group.policy": oneOf(["upgrade", "disabled"], { default: "upgrade", ignoresCase: true, doc: "Groups." }),
  "cleanup.policy": list({ default: ["delete"], of: ["compact", "delete"], doc: "Policy." }),
  "auto.create": boolean({ default: true, doc: "Create." }),
  "broker.rack": string({ default: null, doc: "Rack." }),
  "ssl.key": password({ default: null, doc: "Key." }),
})

suite("parse", () => {
  test("yields the table's types", () => {
    expectTypeOf<Values<typeof table>["log.segment.bytes"]>().toEqualTypeOf<number>()
    expectTypeOf<Values<typeof table>["compression.type"]>().toEqualTypeOf<"none" | "gzip">()
    expectTypeOf<Values<typeof table>["broker.rack"]>().toEqualTypeOf<string | null>()
    expect(parse(table, {})).toEqual(defaults(table))
  })

  test.each([
    ["log.segment.bytes", " 14 ", "log.segment.bytes", 14],
    ["log.retention.hours", "2", "log.retention.ms", 7_200_000],
    ["log.retention.hours", "-1", "log.retention.ms", -1],
    ["log.flush.ms", "9223372036854775807", "log.flush.ms", LONG_MAX],
    ["cleanup.policy", "compact, delete", "cleanup.policy", ["compact", "delete"]],
    ["group.policy", "Disabled", "group.policy", "disabled"],
    ["auto.create", "FALSE", "auto.create", false],
    ["broker.rack", "r1", "broker.rack", "r1"],
  ] as const)("reads %s=%s", (key, text, name, value) => {
    expect(parse(table, { [key]: text })[name]).toEqual(value)
  })

  test.each([
    [{ "log.segment.bytes": "13" }, 'config log.segment.bytes: "13" must be a whole number, at least 14'],
    [{ "log.segment.bytes": "1.5" }, 'config log.segment.bytes: "1.5" must be a whole number, at least 14'],
    [
      { "log.segment.bytes": "3000000000" },
      'config log.segment.bytes: "3000000000" must be a whole number, at least 14',
    ],
    [{ "log.segmnt.bytes": "1" }, "unknown config log.segmnt.bytes; did you mean log.segment.bytes?"],
    [{ zzz: "1" }, "unknown config zzz"],
    [{ "compression.type": "lz5" }, 'config compression.type: "lz5" must be one of none, gzip'],
    [{ "cleanup.policy": "drop" }, 'config cleanup.policy: "drop" must be a comma-separated list of compact, delete'],
    [{ "auto.create": "yes" }, 'config auto.create: "yes" must be true or false'],
  ])("refuses %o", (settings, message) => {
    expect(() => parse(table, settings as Record<string, string>)).toThrow(message)
  })

  test("leaves unknown keys alone on request", () => {
    expect(parse(table, { zzz: "1" }, { unknown: "ignore" })).toEqual(defaults(table))
  })

  test("a required entry must be set", () => {
    expect(() => parse(define({ file: string({ doc: "Where to read." }) }), {})).toThrow(
      "config file is required: Where to read.",
    )
  })

  test("one key", () => {
    expect(parseOne(table, "log.segment.bytes", "99")).toBe(99)
  })
})

suite("describe", () => {
  test("names the strongest source and every other one", () => {
    const rows = describe(table, [
      { source: ConfigSource.TOPIC_CONFIG, settings: { "log.retention.ms": "5" } },
      { source: ConfigSource.STATIC_BROKER_CONFIG, settings: { "log.retention.hours": "1" } },
    ])
    const row = rows.find((candidate) => candidate.name === "log.retention.ms")!
    expect(row).toMatchObject({ value: "5", source: ConfigSource.TOPIC_CONFIG, readOnly: false, type: "LONG" })
    expect(row.synonyms).toEqual([
      { name: "log.retention.ms", value: "5", source: ConfigSource.TOPIC_CONFIG },
      { name: "log.retention.hours", value: "1", source: ConfigSource.STATIC_BROKER_CONFIG },
      { name: "log.retention.hours", value: "168", source: ConfigSource.DEFAULT_CONFIG },
    ])
  })

  test("scales a synonym to the entry's unit, prints no limit as Kafka's largest long, hides secrets", () => {
    const settings = { "log.retention.hours": "1", "ssl.key": "hunter2" }
    const rows = describe(table, [{ source: ConfigSource.STATIC_BROKER_CONFIG, settings }])
    const value = (name: string) => rows.find((row) => row.name === name)?.value
    expect(value("log.retention.ms")).toBe("3600000")
    expect(value("log.flush.ms")).toBe("9223372036854775807")
    expect(JSON.stringify(rows)).not.toContain("hunter2")
  })
})

suite("help", () => {
  test("shows what is allowed and the default", () => {
    expect(helpText(table)).toContain("log.segment.bytes  (a whole number, at least 14; default 1024)\n      Size of")
    expect(helpMarkdown(table)).toContain(
      "| `cleanup.policy` | `delete` | a comma-separated list of compact, delete | Policy. |",
    )
  })
})

suite("properties", () => {
  test("reads Java's format", () => {
    const text = "# c\n! c\na=1\nb : 2\r\nc 3\nlong=x,\\\n   y\nkey\\=odd=v\\u0041\\n\nempty=\n"
    expect(parseProperties(text, "f")).toEqual({ a: "1", b: "2", c: "3", long: "x,y", "key=odd": "vA\n", empty: "" })
  })
  test("refuses a key that is set twice, and names both lines", () => {
    expect(() => parseProperties("a=1\n# a=2\nb=1\n\na=2", "f")).toThrow("f, line 5: a is set on line 1 already")
  })
  test("names the line", () => {
    expect(() => parseProperties("a=1\n=2", "server.properties")).toThrow("server.properties, line 2")
  })
})
