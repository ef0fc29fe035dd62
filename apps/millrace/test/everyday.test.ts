/**
 * What a user does on a day without faults, on the real command; and how servers start and end.
 */
import { writeFileSync } from "node:fs"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  atTerminal,
  type Ended,
  hasTerminals,
  killServers,
  millrace,
  PIPELINES,
  printing,
  scratchDirectory,
  serve,
  type Serving,
} from "./support/process.ts"

const scratch = scratchDirectory()
const anyPort = "127.0.0.1:0"
let up: Serving
let brokers: string[]

beforeAll(async () => {
  const listen = ["--kafka", anyPort, "--registry", anyPort, "--connect", anyPort]
  up = await serve(["up", "--data", `${scratch.path}/up`, ...listen])
  brokers = ["--brokers", up.ready["kafka"]!]
})

afterAll(() => {
  killServers()
  scratch.remove()
})

/** Runs a command that works, and answers what it printed. */
async function works(args: string, input?: string | Buffer): Promise<string> {
  const ended = await millrace([...args.split(" "), ...brokers], input === undefined ? {} : { input })
  expect(ended.code, ended.stderr).toBe(0)
  return ended.stdout
}

/** How long a new group waits for further members, by each protocol, and who says so. */
async function rebalanceDelays(broker: string) {
  await using client = new KafkaClient({ host: nodeHost, brokers: broker })
  const keys = ["group.initial.rebalance.delay.ms", "group.streams.initial.rebalance.delay.ms"]
  const [{ configs } = { configs: [] }] = await client.admin().describeConfigs([{ type: "broker", name: "1", keys }])
  return configs.map(({ name, value }) => [name, value])
}

it("a new group starts at once where the broker comes with its clients, unless told otherwise", async () => {
  expect(await rebalanceDelays(up.ready["kafka"]!)).toEqual([
    ["group.initial.rebalance.delay.ms", "0"],
    ["group.streams.initial.rebalance.delay.ms", "0"],
  ])
  const listen = ["--kafka", anyPort, "--registry", anyPort, "--connect", anyPort]
  const set = ["--set", "group.initial.rebalance.delay.ms=3000"]
  const told = await serve(["up", "--data", `${scratch.path}/told`, ...listen, ...set])
  expect(await rebalanceDelays(told.ready["kafka"]!)).toContainEqual(["group.initial.rebalance.delay.ms", "3000"])
  await told.stop()
})

describe("topics, records, groups", () => {
  it("creates, lists, describes and deletes topics", async () => {
    expect(await works("topic create one two --partitions 3 --set retention.ms=1000000")).toBe(
      "created one\ncreated two\n",
    )
    expect(await works("topic create one three --if-not-exists")).toBe("one exists\ncreated three\n")
    expect(await works("topic create one --if-not-exists --partitions 9")).toBe(
      "one exists, with partitions: 3, not 9\n",
    )
    expect(await works("topic list")).toMatch(/^TOPIC +PARTITIONS +REPLICAS +ID\n[^]*^one +3 +1 +\S{22}$/m)
    expect(await works("topic list"), "ids may hold underscores too").not.toMatch(/^__/m)
    expect(await works("topic describe one")).toMatch(/^one {2}\S{22}\n {2}retention\.ms=1000000\nPARTITION +LEADER/)
    const [described] = JSON.parse(await works("topic describe one --json"))
    expect(described).toMatchObject({ name: "one", settings: { "retention.ms": "1000000" } })
    expect(described.partitions).toHaveLength(3)
    expect(
      await works("topic alter two three --set retention.ms=-1 --set cleanup.policy=compact --partitions 4"),
    ).toMatch(/^two {2}\S{22}\n {2}cleanup\.policy=compact\n {2}retention\.ms=-1\nPARTITION[^]*^ +3 +1[^]*^three /m)
    const altered = JSON.parse(await works("topic alter two --unset cleanup.policy --json"))
    expect(altered).toMatchObject([{ name: "two", settings: { "retention.ms": "-1" } }])
    expect(Object.keys(altered[0].settings)).toEqual(["retention.ms"])
    expect(altered[0].partitions).toHaveLength(4)
    expect(await works("topic delete two three")).toBe("deleted two\ndeleted three\n")
  })

  it("deletes the broker's own topics only when told to, and asks at a terminal", async () => {
    await works("produce one", "x\n")
    await works("consume one --group gone --max 1 --until-end")
    const refused = await millrace(["topic", "delete", "one", "__consumer_offsets", ...brokers])
    expect(refused).toMatchObject({ code: 1, stdout: "" })
    expect(refused.stderr).toMatch(/^millrace: __consumer_offsets is the broker's own: say --internal .*\n$/)
    expect(await works("topic list"), "all or none").toMatch(/^one /m)
    if (!hasTerminals) return
    const prompt = "Delete one with all records? Type yes to go on:"
    const words = ["topic", "delete", "one", ...brokers]
    const denied = await atTerminal(words, prompt, "one\r")
    expect([denied.code, denied.shown]).toEqual([1, expect.stringContaining("nothing was deleted")])
    const agreed = await atTerminal(words, prompt, "yes\r")
    expect([agreed.code, agreed.shown]).toEqual([0, expect.stringContaining("deleted one")])
    await works("topic create one --partitions 3")
    expect((await atTerminal([...words, "--yes"], prompt, "")).shown).toBe("deleted one\r\n")
  })

  it("writes and reads bytes as they are", async () => {
    await works("topic create bytes --partitions 1")
    const input = Buffer.from("a:1\r\nb:\nc:~\n\xff\xfe:\xfd", "latin1")
    const produced = await millrace(
      ["produce", "bytes", "--key-separator", ":", "--null-marker", "~", "--compression", "zstd", ...brokers],
      { input },
    )
    expect(produced).toEqual({ code: 0, stdout: "", stderr: "wrote 4 records to bytes\n" })
    expect(await works("consume bytes --until-end")).toBe("1\n\nnull\n\ufffd\n")
    expect(await works("consume bytes --until-end --keys --max 2")).toBe("a\t1\nb\t\n")
    expect(await works("consume bytes --until-end --from 1 --partition 0 --max 1")).toBe("\n")
    const records = (await works("consume bytes --until-end --json"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(records.map(({ offset, key, value }) => [offset, key, value])).toEqual([
      [0, "a", "1"],
      [1, "b", ""],
      [2, "c", null],
      [3, { base64: "//4=" }, { base64: "/Q==" }],
    ])
  })

  it("writes times, headers and keys, and prints them", async () => {
    await works("topic create whole --partitions 1")
    await works("produce whole --key k --header a=1 --header b= --timestamp 1970-01-01T00:00:01Z", "one\n")
    await works("produce whole --timestamp 2000", "two\n")
    expect(await works("consume whole --until-end --timestamps --offsets --headers --keys")).toBe(
      "1970-01-01T00:00:01.000Z\t0@0\ta=1,b=\tk\tone\n1970-01-01T00:00:02.000Z\t0@1\t-\tnull\ttwo\n",
    )
    expect(await works("consume whole --until-end --timestamps --max 1")).toBe("1970-01-01T00:00:01.000Z\tone\n")
    await works("produce whole --json", JSON.stringify({ value: "three", headers: { stack: "a\n\tb" } }))
    expect(await works("consume whole --until-end --headers --from 2")).toBe("stack=a\\n\\tb\tthree\n")
    const misspelt = await millrace(["produce", "wole", ...brokers], { input: "four\n" })
    expect(misspelt.stderr).toBe("wrote 1 record to wole, which did not exist before\n")
    await works("topic delete wole")
  })

  it("reads as JSON what it prints as JSON, and nothing is lost", async () => {
    const given = [
      { key: "a", value: { id: 1 }, timestamp: 1_000, headers: { trace: "1", tag: ["x", null, "y"] } },
      { key: null, value: "text", timestamp: "1970-01-01T00:00:02.500Z" },
      { key: 7, value: null },
      { key: { base64: "//4=" }, value: { base64: "/Q==" }, headers: { bytes: { base64: "/w==" } } },
    ]
    await works("topic create json copy --partitions 1")
    await works(
      "produce json --json --timestamp 3000 --header all=1",
      given.map((one) => JSON.stringify(one)).join("\n"),
    )
    const printed = await works("consume json --until-end --json")
    const fields = { topic: "json", partition: 0 }
    expect(
      printed
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        ...fields,
        offset: 0,
        timestamp: 1_000,
        key: "a",
        value: '{"id":1}',
        headers: { trace: "1", tag: ["x", null, "y"], all: "1" },
      },
      { ...fields, offset: 1, timestamp: 2_500, key: null, value: "text", headers: { all: "1" } },
      { ...fields, offset: 2, timestamp: 3_000, key: "7", value: null, headers: { all: "1" } },
      {
        ...fields,
        offset: 3,
        timestamp: 3_000,
        key: { base64: "//4=" },
        value: { base64: "/Q==" },
        headers: { bytes: { base64: "/w==" }, all: "1" },
      },
    ])
    await works("produce copy --json", printed)
    expect(await works("consume copy --until-end --json")).toBe(printed.replaceAll('"json"', '"copy"'))
  })

  it("shows and reads values as JSON where they are said to be, and nothing is lost", async () => {
    await works("topic create values mended --partitions 1")
    const values = [
      '{"id":12345678901234567890,"price":1.0}',
      '"text"',
      "7e2",
      "null",
      '{"base64":"AA=="}',
      "none",
      '[-0,"\\u00e9"]',
    ]
    await works("produce values --null-marker ~", `${values.join("\n")}\n~\n`)
    const printed = await works("consume values --until-end --json --json-values")
    expect(printed.split("\n", 3).map((line) => /"value":(.*),"headers"/.exec(line)![1])).toEqual(values.slice(0, 3))
    expect(printed.match(/"value":\{"base64":/g), "JSON that would be read as something else, and none").toHaveLength(3)
    await works("produce mended --json --json-values", printed)
    expect(await works("consume mended --until-end")).toBe(`${values.join("\n").replace("\\u00e9", "é")}\nnull\n`)
    await works("produce mended --json", '{"value":{"id":12345678901234567890}}\n')
    expect(await works("consume mended --until-end --from 8")).toBe('{"id":12345678901234567890}\n')
    const alone = await millrace(["consume", "values", "--json-values", ...brokers])
    expect([alone.code, alone.stderr]).toEqual([
      2,
      "millrace: --json-values goes with --json, and without --registry\n",
    ])
  })

  it("commits for a group what was printed, and no more", async () => {
    await works("topic create shared --partitions 1")
    await works("produce shared", "1\n2\n3\n4\n5\n")
    expect(await works("consume shared --group g --max 2")).toBe("1\n2\n")
    expect(await works("group describe g")).toMatch(
      /^g {2}state Empty {2}type classic {2}protocol consumer\nno members\nTOPIC[^\n]*\nshared +0 +2 +5 +3\n$/,
    )
    expect(await works("consume shared --group g --until-end")).toBe("3\n4\n5\n")
    expect(JSON.parse(await works("group describe g --json"))).toMatchObject({
      groupId: "g",
      state: "Empty",
      type: "classic",
      offsets: [{ topic: "shared", partition: 0, committed: 5, end: 5, lag: 0 }],
    })
    expect(await works("group list")).toMatch(/^g +Empty +classic +consumer$/m)
    await works("topic delete shared")
    expect(await works("group delete g")).toBe("deleted g\n")
  })
})

describe("schemas and connectors that are wrong", () => {
  const post = async (url: string, body: unknown) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
    return { status: response.status, ...((await response.json()) as { error_code?: number; message?: string }) }
  }

  it("the registry says what is wrong with a schema, and where", async () => {
    const url = `${up.ready["registry"]}/subjects/orders-value/versions`
    expect(await post(url, { schema: '{"type":"record"}' })).toMatchObject({
      status: 422,
      error_code: 42201,
      message: expect.stringMatching(/a record needs a "name", at \$/),
    })
    expect(await post(url, { schema: "{" })).toMatchObject({ status: 422, message: expect.stringMatching(/not JSON/) })
  })

  it("what has a schema is written and shown as JSON", async () => {
    const registry = `--registry ${up.ready["registry"]!}`
    const fields = [
      { name: "id", type: "string" },
      { name: "raw", type: ["null", "bytes"], default: null },
      { name: "tags", type: { type: "array", items: "long" } },
    ]
    const versions = (subject: string) => `${up.ready["registry"]}/subjects/${subject}/versions`
    const avro = { type: "record", name: "Typed", fields }
    const object = { type: "object", properties: { id: { type: "string" } }, required: ["id"] }
    await post(versions("typed-value"), { schema: JSON.stringify(avro) })
    await post(versions("checked-value"), { schemaType: "JSON", schema: JSON.stringify(object) })
    await works("topic create typed checked --partitions 1")
    const values = [
      { id: "a", raw: { base64: "/w==" }, tags: [1, 2] },
      { id: "b", raw: null, tags: [] },
    ]
    await works(`produce typed ${registry} --key k`, JSON.stringify(values[0]))
    await works(`produce typed ${registry} --json`, JSON.stringify({ key: "l", value: values[1] }))
    await works("produce typed", "no schema\n")
    const shown = values.map((value) => JSON.stringify(value))
    expect(await works(`consume typed --until-end --keys ${registry}`)).toBe(
      `k\t${shown[0]}\nl\t${shown[1]}\nnull\tno schema\n`,
    )
    const [first] = (await works(`consume typed --max 1 --json ${registry}`)).split("\n")
    expect(JSON.parse(first!)).toMatchObject({ key: "k", value: values[0] })
    await works(`produce checked ${registry}`, '{"id":"c"}\n')
    expect(await works(`consume checked --until-end ${registry}`)).toBe('{"id":"c"}\n')
    for (const [topic, line, told] of [
      ["typed", '{"id":"a"}', /line 1 does not fit the schema: .*typed-value.*tags/],
      ["checked", "{}", /line 1 does not fit the schema: .*id/],
      ["one", "{}", /has no subject one-value: start a pipeline/],
    ] as const) {
      const ended = await millrace(["produce", topic, ...registry.split(" "), ...brokers], { input: line })
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(told) })
      expect(ended.stderr).toMatch(/^millrace: [^\n]+\n$/)
    }
  })

  it("a connector is refused with the setting that is wrong", async () => {
    const url = `${up.ready["connect"]}/connectors`
    const file = `${scratch.path}/orders.jsonl`
    writeFileSync(file, '{"id":1}\n')
    const source = { "connector.class": "FileSource", topic: "orders" }
    const cases: [config: Record<string, string>, message: RegExp][] = [
      [{ ...source }, /file is required/],
      [{ ...source, file, schema: '{"type":"recrd"}' }, /schema.*is no Avro schema: .*recrd/],
      [{ ...source, "connector.class": "FileSorce", file }, /there is no "FileSorce" here; did you mean FileSource\?/],
    ]
    for (const [config, message] of cases) {
      expect(await post(url, { name: "orders", config })).toMatchObject({
        status: 400,
        message: expect.stringMatching(message),
      })
    }
  })
})

describe("pipelines", () => {
  const expectQuiet = (ended: Ended, before = "") => {
    expect(ended.code).toBe(0)
    expect(ended.stderr).toMatch(new RegExp(`^${before}application words, process \\S+\n$`))
  }

  it("run on a broker inside the process, and drain on SIGTERM", async () => {
    const directories = ["--data", `${scratch.path}/embedded`, "--state", `${scratch.path}/state`]
    const running = await serve(["run", `${PIPELINES}/words.ts`, ...directories, "--kafka", anyPort])
    expect(running.readyLine).toMatch(/^ready kafka=127\.0\.0\.1:\d+ registry=http:\/\/\S+ pipelines=words ms=\d+$/)
    const there = ["--brokers", running.ready["kafka"]!]
    await millrace(["produce", "lines", ...there], { input: "a b a\n" })
    const counts = await millrace(["consume", "word-counts", "--max", "3", "--keys", ...there])
    expect(counts.stdout.split("\n").map((line) => line.split("\t")[0])).toEqual(expect.arrayContaining(["a", "b"]))
    expectQuiet(await running.stop(), `\\S+ INFO  made a new cluster \\S+ in ${scratch.path}/embedded\n`)
  })

  it("run on a cluster, and drain on SIGINT", async () => {
    await works("topic create lines --partitions 2")
    await works("topic create word-counts --partitions 2")
    const running = await serve(["run", `${PIPELINES}/words.ts`, "--state", `${scratch.path}/state2`, ...brokers])
    expect(running.readyLine).toMatch(/^ready kafka=127\.0\.0\.1:\d+ pipelines=words ms=\d+$/)
    expectQuiet(await running.stop("SIGINT"))
  })

  it.each([
    ["text", /^Topologies:\n/],
    ["mermaid", /^flowchart|^graph/],
    ["json", /^\{/],
  ])("are described as %s", async (format, start) => {
    const described = await millrace(["describe", `${PIPELINES}/words.ts`, "--format", format])
    expect(described).toMatchObject({ code: 0, stderr: "" })
    expect(described.stdout).toMatch(start)
    if (format === "json") expect(() => JSON.parse(described.stdout)).not.toThrow()
  })
})

describe("servers", () => {
  it("say when all parts are ready, drain on SIGTERM, and find everything again", async () => {
    expect(up.readyLine).toMatch(
      /^ready kafka=127\.0\.0\.1:\d+ registry=http:\/\/127\.0\.0\.1:\d+ connect=http:\/\/127\.0\.0\.1:\d+ ms=\d+$/,
    )
    expect(up.text.stdout).toBe(`${up.readyLine}\n`)
    expect((await up.stop()).code).toBe(0)
    // It would wait for longer than this test may take.
    const patient = ["--set", "shutdown.drain.timeout.ms=3600000"]
    const again = await serve(["broker", "--data", `${scratch.path}/up`, "--listen", anyPort, ...patient])
    brokers = ["--brokers", again.ready["kafka"]!]
    expect(await works("consume bytes --until-end --max 1")).toBe("1\n")
    // The registry and the worker alone, on a broker of its own.
    const registry = await serve(["registry", "--listen", anyPort, ...brokers])
    expect(registry.readyLine).toMatch(/^ready registry=http:\/\/127\.0\.0\.1:\d+ ms=\d+$/)
    const url = ["--registry", registry.ready["registry"]!]
    const connect = await serve(["connect", "--listen", anyPort, ...url, ...brokers])
    expect(connect.readyLine).toMatch(/^ready connect=http:\/\/127\.0\.0\.1:\d+ ms=\d+$/)
    expect(await connect.stop("SIGINT")).toMatchObject({ code: 0, stderr: "" })
    expect(await registry.stop("SIGINT")).toMatchObject({ code: 0, stderr: "" })
    // A reader that waits for more holds up neither its broker's end nor its own.
    const reader = await printing(["consume", "bytes", ...brokers], "1\n")
    expect(await again.stop("SIGINT")).toMatchObject({ code: 0, stderr: "" })
    expect((await reader.stop("SIGINT")).code).toBe(0)
  })
})

describe("help", () => {
  it.each([
    [["--help"], 0, /millrace COMMAND \[options\][^]*topic create +create topics/],
    [["help"], 0, /millrace COMMAND/],
    [["topic", "--help"], 0, /millrace topic COMMAND[^]*topic list/],
    [["help", "topic", "create"], 0, /Creates topics[^]*--partitions N/],
    [["broker", "--help"], 0, /--data DIR +where the log lives \(required\)/],
    [["--version"], 0, /^\d+\.\d+\.\d+\n$/],
  ] as const)("%j", async (args, code, text) => {
    const ended = await millrace(args)
    expect(ended).toMatchObject({ code, stderr: "" })
    expect(ended.stdout).toMatch(text)
  })

  it("without a command goes to stderr, and is a wrong call", async () => {
    const ended = await millrace([])
    expect(ended).toMatchObject({ code: 2, stdout: "" })
    expect(ended.stderr).toMatch(/millrace COMMAND/)
  })
})
