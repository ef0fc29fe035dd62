import { VirtualClock } from "@millrace/host/virtual-clock"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { AwaitedTimes } from "../../src/run/awaited-times.ts"
import { makeTopology } from "../../src/topology/topology.ts"

const Readings = S.topic("readings", { key: string, value: json<{ device: string }>() })
const Devices = S.topic("devices", { key: string, value: json<{ room: string }>() })
const Rooms = S.topic("rooms", { key: string, value: json<number>() })

/** Sub-topology 0 sends readings to their devices, 1 these to their rooms, 2 counts them. */
const pipeline = S.pipeline("app", () =>
  S.stream(Readings).pipe(
    S.keyBy(({ device }) => device),
    S.joinTable("device", S.table(Devices), (_, { room }) => ({ room })),
    S.keyBy(({ room }) => room),
    S.window(S.tumbling("1 minute", { emit: "on-window-close" })),
    S.count("n"),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({ key: key.key, value })),
    S.to(Rooms),
  ),
)
const topology = makeTopology(pipeline.plan, "app")

const task = (name: string, topic: string, ...upstreamPartitions: readonly number[]) => ({
  name,
  awaited: upstreamPartitions.length === 0 ? [] : [{ topic, upstreamPartitions }],
  holdsBack: name.startsWith("2"),
})

type Task = ReturnType<typeof task>

const DEVICE = "app-device-repartition"
const ROOM = "app-n-repartition"

/** What is said in so many seconds. */
function said(tasks: readonly Task[], seconds: number): string[] {
  const clock = new VirtualClock()
  const messages: string[] = []
  const times = new AwaitedTimes(topology, clock, (message) => messages.push(message))
  for (let second = 0; second < seconds; second++) {
    times.look(tasks)
    clock.advance(1_000)
  }
  return messages
}

test("what windows wait for is told once, after half a minute", () => {
  const tasks = [task("1_0", DEVICE), task("2_0", ROOM, 1, 2), task("2_1", ROOM, 1, 2)]
  expect(said(tasks, 30)).toEqual([])
  expect(said(tasks, 90)).toEqual([
    `what waits for event time behind ${ROOM} waits for tasks 1_1, 1_2, from where no record has come to it: if there may be none, give the source an idleAfter (idle.after.ms)`,
  ])
})

test("through a chain of repartitions it is told where the wait begins", () => {
  const tasks = [0, 1, 2].map((at) => task(`1_${at}`, DEVICE, 0, 3))
  expect(said([...tasks, task("2_0", ROOM, 0, 1, 2)], 90)).toEqual([
    expect.stringContaining(`behind ${ROOM} waits for partitions 0, 3 of readings, from where no record has come`),
  ])
})

test("nothing is told where nothing is held back", () => {
  expect(said([task("1_0", DEVICE, 0, 3), task("2_0", ROOM)], 90)).toEqual([])
})
