import { nodeHost } from "@millrace/host/node"
import { expect, it } from "vitest"
import type { SourceRecord } from "../src/data/record.ts"
import { iterableTask } from "../src/iterable-task.ts"

const record = (value: number): SourceRecord => ({
  sourcePartition: {},
  sourceOffset: { value },
  topic: "t",
  key: null,
  keySchema: undefined,
  value,
  valueSchema: undefined,
})

it("hands out batches, then ends", async () => {
  const task = iterableTask(
    (async function* () {
      yield [record(1), record(2)]
      yield []
      yield [record(3)]
    })(),
    { host: nodeHost, signal: new AbortController().signal },
  )
  expect((await task.poll())?.map((one) => one.value)).toEqual([1, 2])
  expect(await task.poll()).toEqual([])
  expect((await task.poll())?.map((one) => one.value)).toEqual([3])
  expect(await task.poll()).toBeUndefined()
})

it("fails as the iterable fails", async () => {
  const task = iterableTask(
    // oxlint-disable-next-line require-yield -- it fails before it could
    (async function* () {
      throw new Error("the tap is dry")
    })(),
    { host: nodeHost, signal: new AbortController().signal },
  )
  await expect(task.poll()).rejects.toThrow("the tap is dry")
})

it("ends waiting when the task is stopped, and cleans up", async () => {
  const abort = new AbortController()
  let cleaned = false
  const woken = Promise.withResolvers<void>()
  const task = iterableTask(
    (async function* () {
      try {
        yield [record(1)]
        await woken.promise
      } finally {
        cleaned = true
      }
    })(),
    { host: nodeHost, signal: abort.signal },
  )
  await task.poll()
  const waiting = task.poll()
  abort.abort(new Error("stop"))
  await expect(waiting).rejects.toThrow("stop")
  await task.stop()
  woken.resolve()
  await expect.poll(() => cleaned).toBe(true)
})
