/**
 * The life of one unit: a connector or one of its tasks.
 *
 *                 launch            up              hold
 *   (created) UNASSIGNED ───────────────▶ RUNNING ◀──────▶ PAUSED
 *                 │ fail                    │ fail  release  │ fail
 *                 └────────────▶ FAILED ◀───┴────────────────┘
 *                                  │ restart            halt from anywhere ──▶ STOPPED
 *                                  └──────▶ RESTARTING ── up ──▶ RUNNING
 *
 * The states are Kafka Connect's. The table is total: every event has an outcome in every state. What a unit runs, its
 * instance, may outlive the decision to halt it; so `start` waits until the instance before it has ended, and every
 * launch has a number: what an earlier instance still reports is ignored by whoever feeds the events in.
 */

export const UNIT_STATES = ["UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "RESTARTING", "STOPPED"] as const
export type UnitState = (typeof UNIT_STATES)[number]

export const UNIT_EVENTS = ["launch", "up", "fail", "hold", "release", "restart", "halt"] as const
/** `up` and `fail` are reports of the instance, the others are wishes. */
export type UnitEvent = (typeof UNIT_EVENTS)[number]

/** `relaunch` is a halt with a start behind it. */
export type UnitAction = "none" | "start" | "halt" | "relaunch" | "hold" | "release"

type Outcome = readonly [UnitState, UnitAction]

export const UNIT_TABLE: Readonly<Record<UnitState, Readonly<Record<UnitEvent, Outcome>>>> = {
  UNASSIGNED: {
    launch: ["UNASSIGNED", "start"],
    up: ["RUNNING", "none"],
    fail: ["FAILED", "none"],
    hold: ["UNASSIGNED", "hold"],
    release: ["UNASSIGNED", "release"],
    restart: ["RESTARTING", "relaunch"],
    halt: ["STOPPED", "halt"],
  },
  RUNNING: {
    launch: ["RUNNING", "none"],
    up: ["RUNNING", "none"],
    fail: ["FAILED", "none"],
    hold: ["PAUSED", "hold"],
    release: ["RUNNING", "none"],
    restart: ["RESTARTING", "relaunch"],
    halt: ["STOPPED", "halt"],
  },
  PAUSED: {
    launch: ["PAUSED", "none"],
    up: ["PAUSED", "none"],
    fail: ["FAILED", "none"],
    hold: ["PAUSED", "none"],
    release: ["RUNNING", "release"],
    restart: ["RESTARTING", "relaunch"],
    halt: ["STOPPED", "halt"],
  },
  FAILED: {
    launch: ["RESTARTING", "start"],
    up: ["FAILED", "none"],
    fail: ["FAILED", "none"],
    hold: ["FAILED", "none"],
    release: ["FAILED", "none"],
    restart: ["RESTARTING", "start"],
    halt: ["STOPPED", "halt"],
  },
  RESTARTING: {
    launch: ["RESTARTING", "none"],
    up: ["RUNNING", "none"],
    fail: ["FAILED", "none"],
    hold: ["RESTARTING", "hold"],
    release: ["RESTARTING", "release"],
    restart: ["RESTARTING", "none"],
    halt: ["STOPPED", "halt"],
  },
  STOPPED: {
    launch: ["UNASSIGNED", "start"],
    up: ["STOPPED", "none"],
    fail: ["STOPPED", "none"],
    hold: ["STOPPED", "none"],
    release: ["STOPPED", "none"],
    restart: ["STOPPED", "none"],
    halt: ["STOPPED", "none"],
  },
}

/** Orders to whoever runs the instance. */
export type UnitOrder = "launch" | "halt" | "hold" | "release"

export interface Unit {
  state: UnitState
  /** The number of the current instance, given by the herder; 0 before the first. */
  launch: number
  instance: "none" | "alive" | "halting"
  /** Launch again once the halting instance has ended. */
  startNext: boolean
  trace: string | undefined
  /** Failures since it last ran long enough. */
  failures: number
  upAt: number | undefined
  /** When it is restarted without being asked. */
  restartAt: number | undefined
  /** A source that has nothing more to read. */
  completed: boolean
}

export const createUnit = (): Unit => ({
  state: "UNASSIGNED",
  launch: 0,
  instance: "none",
  startNext: false,
  trace: undefined,
  failures: 0,
  upAt: undefined,
  restartAt: undefined,
  completed: false,
})

/** Applies an event and answers what to order now. */
export function unitEvent(unit: Unit, event: UnitEvent): UnitOrder | undefined {
  const [state, action] = UNIT_TABLE[unit.state][event]
  unit.state = state
  if (state !== "FAILED") unit.restartAt = undefined
  switch (action) {
    case "none":
      return undefined
    case "start":
      return launch(unit)
    case "halt":
      unit.startNext = false
      return halt(unit)
    case "relaunch":
      if (unit.instance === "none") return launch(unit)
      unit.startNext = true
      return halt(unit)
    case "hold":
    case "release":
      return unit.instance === "alive" ? action : undefined
  }
}

/** The instance is gone, for whatever reason. */
export function unitEnded(unit: Unit): UnitOrder | undefined {
  unit.instance = "none"
  return unit.startNext ? launch(unit) : undefined
}

function launch(unit: Unit): UnitOrder | undefined {
  if (unit.instance !== "none") {
    unit.startNext = true
    return unit.instance === "alive" ? halt(unit) : undefined
  }
  unit.startNext = false
  unit.instance = "alive"
  unit.trace = undefined
  unit.completed = false
  return "launch"
}

function halt(unit: Unit): UnitOrder | undefined {
  if (unit.instance !== "alive") return undefined
  unit.instance = "halting"
  return "halt"
}
