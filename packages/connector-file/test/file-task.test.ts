/**
 * The file source against real files: what it reads, what it infers, where it resumes, what it refuses.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "@millrace/config"
import { type SourceOffset, type SourceRecord, silent } from "@millrace/connect/sdk"
import type { Clock } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { fileSourceConfig } from "../src/file-config.ts"
import { FileSourceTask } from "../src/file-task.ts"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "file-source-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Time that passes only when somebody sleeps. */
function virtualClock(): Clock {
  let now = 0
  return {
    now: () => now,
    monotonic: () => now,
    setTimer(delayMs, callback) {
      let live = true
      queueMicrotask(() => {
        if (!live) return
        now += delayMs
        callback()
      })
      return { cancel: () => (live = false) }
    },
  }
}

function open(settings: Record<string, string>, offset?: SourceOffset, clock: Clock = virtualClock()): FileSourceTask {
  const values = parse(fileSourceConfig, { topic: "t", ...settings })
  return new FileSourceTask(values, {
    connector: "c",
    task: 0,
    host: { ...nodeHost, clock },
    log: silent,
    signal: new AbortController().signal,
    offset: () => offset,
  })
}

async function readAll(task: FileSourceTask): Promise<SourceRecord[]> {
  const all: SourceRecord[] = []
  for (let records = await task.poll(); records; records = await task.poll()) all.push(...records)
  task.stop()
  return all
}

function write(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const dataset = (name: string): string =>
  fileURLToPath(new URL(`../../../node_modules/vega-datasets/data/${name}`, import.meta.url))

describe("the main job's files", () => {
  it("flights: every record, with event time", async () => {
    const file = dataset("flights-20k.json")
    const records = await readAll(
      open({ file, "timestamp.field": "date", "timestamp.format": "yyyy/MM/dd HH:mm", "schema.name": "Flight" }),
    )
    const expected = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>[]
    expect(records.map((record) => record.value)).toEqual(expected)
    expect(records[0]!.timestamp).toBe(Date.UTC(2001, 0, 1, 0, 47))
    const dates = expected.map(({ date }) => Date.parse(`${String(date).replaceAll("/", "-").replace(" ", "T")}:00Z`))
    expect(records.map((record) => record.timestamp)).toEqual(dates)
    expect(records[0]!.valueSchema).toEqual({
      type: "struct",
      name: "Flight",
      fields: [
        { name: "date", schema: { type: "string" } },
        { name: "delay", schema: { type: "int64" } },
        { name: "distance", schema: { type: "int64" } },
        { name: "origin", schema: { type: "string" } },
        { name: "destination", schema: { type: "string" } },
      ],
    })
  })

  it("airports: keyed rows with coordinates and a time of their own", async () => {
    const file = dataset("airports.csv")
    const records = await readAll(
      open({ file, "key.field": "iata", "record.timestamp": "0", "schema.name": "Airport" }),
    )
    expect(records).toHaveLength(3376)
    expect(records.every((record) => record.timestamp === 0)).toBe(true)
    const first = { iata: "00M", name: "Thigpen", city: "Bay Springs", state: "MS", country: "USA" }
    expect(records[0]).toMatchObject({
      key: "00M",
      keySchema: { type: "string" },
      value: { ...first, latitude: 31.95376472, longitude: -89.23450472 },
    })
    const types = records[0]!.valueSchema!.fields!.map(
      ({ name, schema }) => `${name}:${schema.type}${schema.optional ? "?" : ""}`,
    )
    expect(types.join()).toBe(
      "iata:string,name:string,city:string,state:string,country:string,latitude:float64,longitude:float64",
    )
  })
})

describe("resuming", () => {
  const files: [name: string, content: string][] = [
    [
      "a.json",
      JSON.stringify(
        Array.from({ length: 50 }, (_, n) => ({ n, text: `"${n}],` })),
        null,
        1,
      ),
    ],
    ["a.jsonl", Array.from({ length: 50 }, (_, n) => `${JSON.stringify({ n })}\n`).join("\n")],
    ["a.csv", `n,text\r\n${Array.from({ length: 50 }, (_, n) => `${n},"line\n${n}"`).join("\r\n")}`],
    ["a.txt", Array.from({ length: 50 }, (_, n) => `line ${n}`).join("\n")],
  ]
  it.each(files)("%s goes on behind any record, none lost, none twice", async (name, content) => {
    const file = write(name, content)
    const all = await readAll(open({ file, "batch.size": "7" }))
    expect(all).toHaveLength(50)
    for (const [index, record] of all.entries()) {
      const rest = await readAll(open({ file }, record.sourceOffset))
      expect(rest).toEqual(all.slice(index + 1))
    }
  })

  it("refuses to go on in a file that has become shorter", () => {
    const file = write("a.jsonl", "{}\n")
    expect(() => open({ file }, { position: 100, record: 9 })).toThrow(/shorter than the 100 bytes already read/)
  })
})

describe("following", () => {
  it("hands out lines when they are complete", async () => {
    const file = write("a.jsonl", '{"n":1}\n{"n"')
    const task = open({ file, tail: "true" })
    expect((await task.poll())!.map((record) => record.value)).toEqual([{ n: 1 }])
    expect(await task.poll()).toEqual([])
    appendFileSync(file, ":2}\n")
    expect((await task.poll())!.map((record) => record.value)).toEqual([{ n: 2 }])
    task.stop()
  })
})

describe("pace", () => {
  it("keeps to the records of a second", async () => {
    const file = write("a.txt", "x\n".repeat(5_000))
    const clock = virtualClock()
    const records = await readAll(open({ file, "max.records.per.second": "1000" }, undefined, clock))
    expect(records).toHaveLength(5_000)
    expect(clock.monotonic()).toBeGreaterThan(4_900)
    expect(clock.monotonic()).toBeLessThan(5_200)
  })
})

describe("schemas", () => {
  const avsc = {
    type: "record",
    name: "n.R",
    fields: [
      { name: "n", type: "int" },
      { name: "s", type: ["null", "string"] },
    ],
  }

  it("takes an Avro schema, as text and from a file", async () => {
    const file = write("a.csv", "n,s\n1,x\n2,\n")
    const schemaFile = write("r.avsc", JSON.stringify(avsc))
    for (const given of [{ schema: JSON.stringify(avsc) }, { "schema.file": schemaFile }]) {
      const records = await readAll(open({ file, ...given }))
      expect(records.map((record) => record.value)).toEqual([
        { n: 1, s: "x" },
        { n: 2, s: "" },
      ])
      expect(records[0]!.valueSchema!.name).toBe("n.R")
    }
  })

  it("infers nothing when told so", async () => {
    const file = write("a.jsonl", '{"a":1}\n"x"\n')
    const records = await readAll(open({ file, "schema.infer": "false" }))
    expect(records.map((record) => [record.value, record.valueSchema])).toEqual([
      [{ a: 1 }, undefined],
      ["x", undefined],
    ])
  })

  it("corrects inferred types by fields", async () => {
    const file = write("a.csv", "zip,x\n12345,1\n")
    const [record] = await readAll(open({ file, fields: "zip:string,x:double?" }))
    expect(record!.value).toEqual({ zip: "12345", x: 1 })
    expect(record!.valueSchema!.fields![1]!.schema).toEqual({ type: "float64", optional: true })
  })

  it("infers optional and mixed fields", async () => {
    const file = write("a.jsonl", '{"a":1,"m":1}\n{"b":{"c":[1.5]},"m":"x"}\n{"a":null,"m":true}\n')
    const [record] = await readAll(open({ file, topic: "my-topic.v1" }))
    expect(record!.valueSchema).toEqual({
      type: "struct",
      name: "MyTopicV1",
      fields: [
        { name: "a", schema: { type: "int64", optional: true } },
        { name: "m", schema: { type: "string" } },
        {
          name: "b",
          schema: {
            type: "struct",
            name: "MyTopicV1B",
            optional: true,
            fields: [{ name: "c", schema: { type: "array", items: { type: "float64" } } }],
          },
        },
      ],
    })
  })

  it("keeps leading zeros and reads booleans in tables", async () => {
    const file = write("a.csv", "code,yes\n007,true\n1,false\n")
    const records = await readAll(open({ file }))
    expect(records.map((record) => record.value)).toEqual([
      { code: "007", yes: true },
      { code: "1", yes: false },
    ])
  })
})

describe("refusals", () => {
  const cases: [name: string, file: string, content: string, settings: Record<string, string>, message: RegExp][] = [
    ["bad JSON", "a.jsonl", '{"a":1}\n{"a"\n', { "schema.infer": "false" }, /a\.jsonl, record 2: not JSON.*at byte 8/],
    [
      "a value beyond its schema",
      "a.jsonl",
      '{"a":1}\n{"a":"x"}\n',
      { fields: "a:int" },
      /record 2: value\.a should be int32 but is "x"/,
    ],
    [
      "a field beyond the sample",
      "a.jsonl",
      '{"a":1}\n{"a":2,"b":3}\n',
      { "schema.sample.records": "1" },
      /record 2: value\.b is not in the schema.*schema\.sample\.records/,
    ],
    [
      "a row too short",
      "a.csv",
      "a,b\n1,2\n3\n",
      { "schema.sample.records": "1" },
      /record 2: a row of 1 cells in a table of 2 columns/,
    ],
    [
      "a time of another format",
      "a.jsonl",
      '{"at":"soon"}\n',
      { "timestamp.field": "at" },
      /record 1: timestamp\.field at is "soon", not of timestamp\.format iso-8601/,
    ],
    [
      "a key field that is not there",
      "a.jsonl",
      '{"a":1}\n',
      { "key.field": "id" },
      /key\.field: .*a\.jsonl has no field id; it has a/,
    ],
    [
      "a long record",
      "a.txt",
      "x".repeat(101),
      { "record.bytes.max": "100" },
      /longer than 100 bytes \(record\.bytes\.max\)/,
    ],
  ]
  it.each(cases)("%s", async (_name, name, content, settings, message) => {
    const file = write(name, content)
    await expect((async () => readAll(open({ file, ...settings })))()).rejects.toThrow(message)
  })

  it("names a file that is not there", () => {
    expect(() => open({ file: join(directory, "no.json") })).toThrow(/cannot open .*no\.json: no such file/)
  })

  it.each([
    ["format", "xml", /one of auto, json-array/],
    ["timestamp.format", "YYYY", /YYYY is not one of/],
    ["fields", "a:integer", /a:integer, which is not name:type/],
    ["csv.delimiter", ";;", /one ASCII character/],
  ])("setting %s=%s", (key, value, message) => {
    expect(() => parse(fileSourceConfig, { file: "f", topic: "t", [key]: value })).toThrow(message)
  })
})
