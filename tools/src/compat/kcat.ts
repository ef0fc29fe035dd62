/**
 * kcat (librdkafka): a hundred thousand records through every codec, byte for byte.
 */
import { type Check, execute, pipeThrough } from "./check.ts"

const RECORDS = 100_000
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]

export async function kcatChecks(brokers: string): Promise<Check[]> {
  const client = await version()
  const input = Buffer.from(
    Array.from(
      { length: RECORDS },
      (_, index) => `record ${index} ${"abcdefghij".repeat(index % 12)} ${(index * 2_654_435_761) >>> 0}\n`,
    ).join(""),
  )
  return [
    {
      client,
      name: "lists metadata",
      run: async () => {
        const { stdout } = await execute("kcat", ["-b", brokers, "-L", "-J"])
        return `${(JSON.parse(stdout) as { brokers: unknown[] }).brokers.length} broker`
      },
    },
    ...CODECS.map((codec) => ({
      client,
      name: `produces and consumes ${RECORDS} records, ${codec}`,
      run: async () => {
        const topic = `kcat-${codec}`
        await pipeThrough("kcat", ["-b", brokers, "-P", "-t", topic, "-p", "0", "-z", codec, "-X", "acks=all"], input)
        const output = await pipeThrough(
          "kcat",
          ["-b", brokers, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q"],
          undefined,
        )
        if (!output.equals(input))
          throw new Error(`${input.length} bytes went in, ${output.length} came out, and they differ`)
        return `${input.length} bytes, identical`
      },
    })),
    {
      client,
      name: "consumes in a group to the end",
      run: async () => {
        const output = await pipeThrough(
          "kcat",
          ["-b", brokers, "-G", "kcat-group", "-e", "-q", "-X", "auto.offset.reset=earliest", "kcat-lz4"],
          undefined,
        )
        if (!output.equals(input)) throw new Error(`${output.length} bytes instead of ${input.length}`)
        return `${input.length} bytes, identical`
      },
    },
  ]
}

export async function version(): Promise<string> {
  try {
    const { stdout, stderr } = await execute("kcat", ["-V"])
    const found = /Version (\S+) .*librdkafka (\S+)/s.exec(stdout + stderr)
    return found ? `kcat ${found[1]} (librdkafka ${found[2]})` : "kcat"
  } catch {
    return "kcat"
  }
}
