/** The short form of `npm run fuzz`: some frames of a fixed seed, to the codecs and to a broker in this process. */
import { expect, test } from "vitest"
import { frameOf } from "../src/fuzz/frames.ts"
import { fuzzInProcess } from "../src/fuzz/in-process.ts"
import { Words } from "../src/fuzz/words.ts"

test("hostile frames are answered, or their connections closed with a line in the log, and the broker lives on", async () => {
  const { findings, tally, frames } = await fuzzInProcess({ frames: 4_000, seed: 1 })
  expect(findings.map(({ what }) => what)).toEqual([])
  expect(frames).toBe(4_000)
  // Both are met: frames that come through to handlers, and frames that are no requests.
  expect(tally.answered).toBeGreaterThan(500)
  expect(tally.closed).toBeGreaterThan(500)
})

test("a frame is a function of the seed and its number", () => {
  const frame = (index: number, seed: number) => frameOf(index, { seed, words: new Words(), now: 1, sasl: false })
  for (let index = 0; index < 200; index++) expect(frame(index, 7)).toEqual(frame(index, 7))
  expect(frame(1, 7).bytes).not.toEqual(frame(1, 8).bytes)
})
