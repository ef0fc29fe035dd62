/**
 * Repartitioned records carry the time of the task they came from, so those of a lagging upstream task are not late. Kafka
 * Streams is run on the same input, to show that it drops them.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import { kafkaJars, NoKafka, requireJava } from "../../../tools/src/kafka-jars.ts"
import * as S from "../src/index.ts"
import { Bench, named } from "../test/run/bench.ts"

/** A JVM has to start, and to join its group. */
const TIMEOUT_MS = 120_000

let bench: Bench
beforeAll(async () => {
  bench = await Bench.given()
})
afterAll(() => bench.close())

const topics = (name: string) => ({
  In: S.topic(named(`${name}-in`), { key: string, value: string }),
  Out: S.topic(named(`${name}-out`), { key: string, value: json<number>() }),
})

/** Partition 0 is windows ahead when partition 1 begins; the last record of partition 1 is ahead of all. */
async function windowsOf(name: string): Promise<string[]> {
  const { In, Out } = topics(name)
  const send = async (partition: number, ...times: readonly number[]) => {
    await using producer = bench.client.producer()
    for (const time of times) producer.append(In.name, partition, time, In.key.encode("k"), In.value.encode("w"))
    await producer.flush()
  }
  await send(0, 10_000, 11_000, 12_000)
  expect(await bench.consume(Out, 3, TIMEOUT_MS / 2)).toHaveLength(3)
  await send(1, 1_000, 2_000, 3_000, 20_000)
  for (;;) {
    const found = await bench.consume(Out, 7, 3_000)
    const windows = found.map(({ key, value }) => `${key}:${value}`)
    if (windows.includes("w@20000:1")) return windows
  }
}

test("design rule 5: the records of a lagging upstream task are not late", { timeout: TIMEOUT_MS }, async () => {
  const { In, Out } = topics("lag-ours")
  await bench.createTopics({ "lag-ours-in": 2, "lag-ours-out": 1 })
  const pipeline = S.pipeline(named("lag-ours-app"), () =>
    S.stream(In).pipe(
      S.keyBy((word) => word),
      S.window(S.tumbling("1 second")),
      S.count("n"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value })),
      S.to(Out),
    ),
  )
  await using _running = await S.run(pipeline, bench.options("lag-ours"))
  const starts = [10_000, 11_000, 12_000, 1_000, 2_000, 3_000, 20_000]
  expect(await windowsOf("lag-ours")).toEqual(starts.map((start) => `w@${start}:1`))
})

test("design rule 5: Kafka Streams drops them", { timeout: TIMEOUT_MS }, async ({ skip }) => {
  const jars = await requireJava()
    .then(() => kafkaJars("streams"))
    .catch((error: unknown) => {
      if (!(error instanceof NoKafka)) throw error
      console.log(`Kafka Streams is not run: ${error.message}`)
      return skip(error.message)
    })
  const { In, Out } = topics("lag-java")
  await bench.createTopics({ "lag-java-in": 2, "lag-java-out": 1 })
  const source = path.join(import.meta.dirname, "LaggingUpstream.java")
  const names = [bench.brokers, named("lag-java-app"), In.name, Out.name, path.join(bench.directory, "java")]
  const child: ChildProcess = spawn("java", ["-Xmx256m", "-cp", path.join(jars, "*"), source, ...names], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  const said: string[] = []
  child.stderr!.on("data", (chunk: Buffer) => said.push(String(chunk)))
  const exit = once(child, "exit")
  try {
    const windows = await windowsOf("lag-java").catch((cause: unknown) => {
      throw new Error(`Kafka Streams said:\n${said.join("")}`, { cause })
    })
    expect(windows).toEqual([10_000, 11_000, 12_000, 20_000].map((start) => `w@${start}:1`))
  } finally {
    child.kill("SIGKILL")
    await exit
  }
})
