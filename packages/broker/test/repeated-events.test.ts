import { VirtualClock } from "@millrace/host/virtual-clock"
import { expect, test } from "vitest"
import { RepeatedEvents } from "../src/repeated-events.ts"

const EVENT = { level: "warn", event: "e" } as const

function events() {
  const clock = new VirtualClock()
  const told: string[] = []
  return { clock, told, repeated: new RepeatedEvents(clock, (message) => told.push(message)) }
}

test("the first is told at once, repeats once a minute for as long as there are any", () => {
  const { clock, told, repeated } = events()
  for (let count = 0; count < 4; count++) repeated.tell("a", "no a", EVENT)
  repeated.tell("b", "no b", EVENT)
  expect(told.splice(0)).toEqual(["no a", "no b"])
  clock.advance(60_000)
  expect(told.splice(0)).toEqual(["no a (3 more within the last minute)"])
  repeated.tell("a", "no a", EVENT)
  repeated.tell("b", "no b", EVENT)
  expect(told.splice(0)).toEqual(["no b"])
  clock.advance(60_000)
  expect(told.splice(0)).toEqual(["no a (1 more within the last minute)"])
  clock.advance(600_000)
  expect(told).toEqual([])
  repeated.tell("a", "no a", EVENT)
  expect(told).toEqual(["no a"])
})

test("more kinds than anybody reads are counted together", () => {
  const { clock, told, repeated } = events()
  for (let kind = 0; kind < 1_200; kind++) repeated.tell(`${kind}`, `no ${kind}`, EVENT)
  expect(told.splice(0)).toHaveLength(1_000)
  clock.advance(60_000)
  expect(told).toEqual(["200 more refusals within the last minute are not told one by one"])
})

test("nothing is told after the end", () => {
  const { clock, told, repeated } = events()
  for (let count = 0; count < 4; count++) repeated.tell("a", "no a", EVENT)
  repeated.close()
  clock.advance(120_000)
  expect(told).toEqual(["no a"])
})
