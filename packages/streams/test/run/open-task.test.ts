import { NetError } from "@millrace/host"
import { string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { MemoryEngines } from "../../src/state/memory-engine.ts"
import { Bench } from "./bench.ts"

class FlakyEngines extends MemoryEngines {
  opened = 0
  override open(store: string, partition: number) {
    if (this.opened++ === 0) throw new NetError("DISCONNECTED", { host: "h", port: 1 }, "the broker went away")
    return super.open(store, partition)
  }
}

test("a task that could not be opened for a passing reason is opened later", async () => {
  const bench = await Bench.start()
  try {
    const In = S.topic("flaky-in", { key: string, value: string })
    const Out = S.topic("flaky-out", { key: string, value: string })
    await bench.createTopics({ "flaky-in": 1, "flaky-out": 1 })
    const pipeline = S.pipeline("flaky", () =>
      S.stream(In).pipe(
        S.reduce("last", (_, value) => value),
        S.toStream(),
        S.to(Out),
      ),
    )
    await bench.produce(In, [["k", "v", 0]])
    const engines = new FlakyEngines()
    await using _running = await S.run(pipeline, bench.options("flaky", { engines }))
    expect(await bench.consume(Out, 1)).toHaveLength(1)
    expect(engines.opened).toBeGreaterThan(1)
  } finally {
    await bench.close()
  }
})
