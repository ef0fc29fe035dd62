/** What a run holds is given back when it ends, also when its state cannot be written. */
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { MemoryEngine, MemoryEngines } from "../../src/state/memory-engine.ts"
import { inTurn } from "../../src/run/in-turn.ts"
import { Bench } from "./bench.ts"

class FullEngine extends MemoryEngine {
  override write(): Promise<void> {
    return Promise.reject(new Error("ENOSPC: no space left on device"))
  }
}

class FullEngines extends MemoryEngines {
  protected override make(): MemoryEngine {
    return new FullEngine()
  }
}

test("every step is taken, and the first failure is thrown", async () => {
  const taken: string[] = []
  const step = (name: string, failure?: string) => async () => {
    taken.push(name)
    if (failure !== undefined) throw new Error(failure)
  }
  await expect(inTurn([step("a"), step("b", "one"), step("c", "two"), step("d")])).rejects.toThrow("one")
  expect(taken).toEqual(["a", "b", "c", "d"])
})

const In = S.topic("full-in", { key: string, value: string })
const Out = S.topic("full-out", { key: string, value: json<number>() })
const pipeline = S.pipeline("full", () => S.stream(In).pipe(S.count("counts"), S.toStream(), S.to(Out)))

test.each(["classic", "streams"] as const)(
  "a disk that is full keeps no member in the group, no server and no lock: %s",
  async (groupProtocol) => {
    const bench = await Bench.start(groupProtocol)
    try {
      await bench.createTopics({ "full-in": 2, "full-out": 1 })
      const full = { engines: new FullEngines(), queries: { listen: "127.0.0.1:0" } }
      const running = await S.run(pipeline, bench.options("full", full))
      await bench.produce(In, [["k", "v", 0]])
      expect(await bench.consume(Out, 1)).toMatchObject([{ key: "k", value: 1 }])
      await expect(running.close()).rejects.toThrow("ENOSPC")

      const admin = bench.client.admin()
      const group =
        groupProtocol === "streams"
          ? await admin.describeStreamsGroup("full")
          : (await admin.describeGroups(["full"]))[0]
      expect(group!.members).toEqual([])
      await expect(fetch(`http://${running.endpoint}/`)).rejects.toThrow("fetch failed")

      await using _again = await S.run(pipeline, bench.options("full"))
      await bench.produce(In, [["k", "w", 0]])
      expect(await bench.consume(Out, 2)).toMatchObject([{ value: 1 }, { value: 2 }])
    } finally {
      await bench.close()
    }
  },
)

test("a run that ended well and cannot give back what it holds has failed", async () => {
  const Rates = S.topic("full-rates", { key: string, value: json<number>() })
  const rates = S.globalTable(Rates, { store: "rates" })
  const rated = S.pipeline("full-rated", () =>
    S.stream(In).pipe(
      S.joinGlobalTable(
        rates,
        (value) => value,
        (_, rate) => rate,
      ),
      S.to(Out),
    ),
  )
  const bench = await Bench.start()
  try {
    await bench.createTopics({ "full-in": 1, "full-out": 1, "full-rates": 1 })
    await bench.produce(Rates, [["v", 7, 0]])
    const running = await S.run(rated, bench.options("full-rated", { engines: new FullEngines() }))
    await bench.produce(In, [["k", "v", 0]])
    expect(await bench.consume(Out, 1)).toMatchObject([{ value: 7 }])
    // All is committed; the global table's rows are written when it closes.
    await expect(running.close()).rejects.toThrow("ENOSPC")
    expect(running.state()).toBe("error")
  } finally {
    await bench.close()
  }
})
