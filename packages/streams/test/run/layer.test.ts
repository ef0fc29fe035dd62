import { string } from "@millrace/schema"
import { Context, Effect, Exit, Layer } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Streams } from "../../src/layer.ts"
import { Bench } from "./bench.ts"

class Shout extends Context.Service<Shout, { loud(word: string): Effect.Effect<string> }>()("test/Shout") {}

const In = S.topic("layer-in", { key: string, value: string })
const Out = S.topic("layer-out", { key: string, value: string })
const pipeline = S.pipeline("layer-app", () =>
  S.stream(In).pipe(
    S.mapEffect(
      (word) =>
        Effect.gen(function* () {
          const shout = yield* Shout
          return yield* shout.loud(word)
        }),
      { name: "shout", concurrency: 4, timeout: "1 second" },
    ),
    S.to(Out),
  ),
)

let bench: Bench
beforeAll(async () => {
  bench = await Bench.start()
})
afterAll(() => bench.close())

test("a pipeline is a layer that needs what its effects need", async () => {
  await bench.createTopics({ "layer-in": 1, "layer-out": 1 })
  await bench.produce(In, [["a", "hey", 1]])
  const program = Effect.gen(function* () {
    const streams = yield* Streams
    yield* streams.untilRunning
    const found = yield* Effect.promise(() => bench.consume(Out, 1))
    return [streams.applicationId, yield* streams.state, found.map(({ value }) => value)]
  })
  const shout = Layer.succeed(Shout)({ loud: (word) => Effect.succeed(word.toUpperCase()) })
  const running = Streams.layer(pipeline, bench.options("layer")).pipe(Layer.provide(shout))
  expect(await Effect.runPromise(Effect.provide(program, running))).toEqual(["layer-app", "running", ["HEY"]])
})

test("what keeps it from starting is the layer's failure", async () => {
  const nowhere = S.pipeline("nowhere", () =>
    S.stream(S.topic("no-such", { key: string, value: string })).pipe(S.to(Out)),
  )
  const program = Effect.provide(Effect.asVoid(Streams), Streams.layer(nowhere, bench.options("nowhere")))
  const exit = await Effect.runPromiseExit(program)
  expect(Exit.isFailure(exit) && String(exit.cause)).toMatch(/topic "no-such" does not exist/)
})
