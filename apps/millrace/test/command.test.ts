import { describe, expect, it } from "vitest"
import { command, helpOf, readArguments, suggest, UsageError } from "../src/command.ts"

const sample = command({
  name: "sample run",
  summary: "Runs a sample.",
  positionals: "FILE [FILE]",
  positionalsMin: 1,
  positionalsMax: 2,
  options: {
    data: { value: "DIR", help: "where it lives", required: true },
    listen: { value: "HOST:PORT", help: "address", default: "127.0.0.1:9092" },
    set: { value: "key=value", help: "a setting", multiple: true },
    json: { help: "print JSON" },
  },
  run: async () => 0,
})

describe("arguments", () => {
  it("reads values, flags, repeats and defaults", () => {
    expect(readArguments(sample, ["a", "--data", "d", "--set", "x=1", "--set=y=2", "--json", "b"])).toEqual({
      options: { data: "d", listen: "127.0.0.1:9092", set: ["x=1", "y=2"], json: true },
      positionals: ["a", "b"],
    })
  })

  const refused: [name: string, args: string[], message: RegExp][] = [
    [
      "an unknown option, with the nearest one",
      ["f", "--data", "d", "--lisen", "x"],
      /unknown option --lisen; did you mean --listen\?/,
    ],
    ["an option that takes one value twice", ["f", "--data", "d", "--data=e"], /--data is given twice: d and e/],
    ["an option without its value", ["f", "--data"], /--data needs a value: --data DIR/],
    ["a flag with a value", ["f", "--data", "d", "--json=yes"], /--json takes no value/],
    ["a missing required option", ["f"], /millrace sample run needs --data DIR: where it lives/],
    ["too few arguments", ["--data", "d"], /needs FILE \[FILE\]/],
    ["too many arguments", ["--data", "d", "a", "b", "c"], /unexpected argument c/],
  ]
  it.each(refused)("refuses %s", (_, args, message) => {
    expect(() => readArguments(sample, args)).toThrow(UsageError)
    expect(() => readArguments(sample, args)).toThrow(message)
  })

  it("helps with every option and its default", () => {
    const help = helpOf(sample)
    expect(help).toContain("millrace sample run FILE [FILE] [options]")
    expect(help).toMatch(/--data DIR +where it lives \(required\)/)
    expect(help).toMatch(/--listen HOST:PORT +address \(default 127\.0\.0\.1:9092\)/)
    expect(help).toMatch(/--set key=value +a setting \(may repeat\)/)
  })

  it("suggests only what is near", () => {
    expect(suggest("topc", ["topic", "group"])).toBe("; did you mean topic?")
    expect(suggest("zebra", ["topic", "group"])).toBe("")
  })
})
