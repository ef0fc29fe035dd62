/** The assertion finds what depends on transactions, tells it small and the same way each time, and lets the rest pass. */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { expect, test } from "vitest"
import { assertCommitBoundariesDoNotMatter, inputs } from "../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<number>() })

const counted = S.pipeline("counted", () => S.stream(In).pipe(S.count("counts"), S.toStream(), S.to(Out)))

/** Counts in a variable of its own, which no abort takes back. */
const leaky = S.pipeline("leaky", () => {
  let seen = 0
  return S.stream(In).pipe(
    S.processValues("seen", { value: json<number>() }, ({ forward }) => {
      seen = 0
      return { process: () => forward(++seen) }
    }),
    S.to(Out),
  )
})

const given = inputs(
  In,
  ...Array.from({ length: 12 }, (_, id) => ({ key: id % 2 ? "odd" : "even", value: id, timestamp: id })),
)

test("K5: state in stores is the same wherever transactions end", async () => {
  await assertCommitBoundariesDoNotMatter(counted, given, { runs: 40 })
  await assertCommitBoundariesDoNotMatter(counted, given, { driver: { partitions: 3 } })
})

test("state elsewhere is found out, with what is needed for it and no more", async () => {
  const told = async (seed: number) =>
    await assertCommitBoundariesDoNotMatter(leaky, given, { seed }).then(
      () => "nothing",
      (failure: Error) => failure.message,
    )
  const message = await told(1)
  expect(message).toMatch(/^pipeline "leaky": where transactions end shows in what it writes \(seed 1, run \d+\)/)
  expect(message).toContain('topic "out", partition 0, number ')
  expect(message.match(/^ {4}in \{/gm)?.length).toBeLessThanOrEqual(4)
  const transactions = /transactions: (.*)/.exec(message)![1]!
  expect(transactions.split("; ").length).toBeLessThanOrEqual(3)
  expect(await told(1)).toBe(message)
})

test("an output that nobody asks for is not compared", async () => {
  await assertCommitBoundariesDoNotMatter(leaky, given, { outputs: [] })
})
