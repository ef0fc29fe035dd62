/**
 * The whole table of a unit's life, written down a second time, and the order of its instances.
 */
import { describe, expect, it } from "vitest"
import {
  createUnit,
  UNIT_EVENTS,
  UNIT_STATES,
  UNIT_TABLE,
  type UnitEvent,
  type UnitState,
  unitEnded,
  unitEvent,
} from "../../src/runtime/unit.ts"

const EXPECTED: Record<UnitState, Record<UnitEvent, string>> = {
  UNASSIGNED: {
    launch: "UNASSIGNED start",
    up: "RUNNING none",
    fail: "FAILED none",
    hold: "UNASSIGNED hold",
    release: "UNASSIGNED release",
    restart: "RESTARTING relaunch",
    halt: "STOPPED halt",
  },
  RUNNING: {
    launch: "RUNNING none",
    up: "RUNNING none",
    fail: "FAILED none",
    hold: "PAUSED hold",
    release: "RUNNING none",
    restart: "RESTARTING relaunch",
    halt: "STOPPED halt",
  },
  PAUSED: {
    launch: "PAUSED none",
    up: "PAUSED none",
    fail: "FAILED none",
    hold: "PAUSED none",
    release: "RUNNING release",
    restart: "RESTARTING relaunch",
    halt: "STOPPED halt",
  },
  FAILED: {
    launch: "RESTARTING start",
    up: "FAILED none",
    fail: "FAILED none",
    hold: "FAILED none",
    release: "FAILED none",
    restart: "RESTARTING start",
    halt: "STOPPED halt",
  },
  RESTARTING: {
    launch: "RESTARTING none",
    up: "RUNNING none",
    fail: "FAILED none",
    hold: "RESTARTING hold",
    release: "RESTARTING release",
    restart: "RESTARTING none",
    halt: "STOPPED halt",
  },
  STOPPED: {
    launch: "UNASSIGNED start",
    up: "STOPPED none",
    fail: "STOPPED none",
    hold: "STOPPED none",
    release: "STOPPED none",
    restart: "STOPPED none",
    halt: "STOPPED none",
  },
}

describe("table", () => {
  const cells = UNIT_STATES.flatMap((state) => UNIT_EVENTS.map((event) => [state, event] as const))
  it.each(cells)("%s on %s", (state, event) => {
    expect(UNIT_TABLE[state][event].join(" ")).toBe(EXPECTED[state][event])
  })
})

describe("instances", () => {
  it("starts the next one only when the one before has ended", () => {
    const unit = createUnit()
    expect(unitEvent(unit, "launch")).toBe("launch")
    unitEvent(unit, "up")
    expect(unitEvent(unit, "restart")).toBe("halt")
    expect(unit).toMatchObject({ state: "RESTARTING", instance: "halting", startNext: true })
    expect(unitEnded(unit)).toBe("launch")
    expect(unitEvent(unit, "up")).toBeUndefined()
    expect(unit.state).toBe("RUNNING")
  })

  it("forgets the start behind a halt that was asked for later", () => {
    const unit = createUnit()
    unitEvent(unit, "launch")
    unitEvent(unit, "restart")
    unitEvent(unit, "halt")
    expect(unitEnded(unit)).toBeUndefined()
    expect(unit).toMatchObject({ state: "STOPPED", instance: "none" })
  })

  it("launches again after a stop that has not ended yet", () => {
    const unit = createUnit()
    unitEvent(unit, "launch")
    unitEvent(unit, "halt")
    expect(unitEvent(unit, "launch")).toBeUndefined()
    expect(unitEnded(unit)).toBe("launch")
  })

  it("orders nothing of an instance that is not there", () => {
    const unit = createUnit()
    expect(unitEvent(unit, "halt")).toBeUndefined()
    expect(unitEvent(unit, "hold")).toBeUndefined()
  })
})
