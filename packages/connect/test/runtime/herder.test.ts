/**
 * The herder driven by a worker that does as it is told: every order is carried out and reported in turn.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ConnectorConfig, Herder, type Order, type Report, type UnitId } from "../../src/runtime/herder.ts"
import type { RestartPolicy } from "../../src/runtime/restart-policy.ts"

const POLICY: RestartPolicy = { onFailure: true, backoffMs: 100, backoffMsMax: 1000, attemptsMax: -1, resetMs: 10_000 }
const NEVER: RestartPolicy = { ...POLICY, onFailure: false }

/** Runs instances as the herder orders; `tasks` in a config says how many tasks the connector has. */
class Bench {
  readonly herder = new Herder()
  readonly running = new Map<string, { id: UnitId; launch: number; config: ConnectorConfig; held: boolean }>()
  readonly halting = new Set<string>()
  readonly orders: string[] = []
  now = 0

  static name = (id: UnitId) => `${id.connector}/${id.task ?? "connector"}`

  carryOut(orders: readonly Order[]): void {
    for (const order of orders) {
      const name = Bench.name(order.id)
      this.orders.push(`${order.type} ${name}`)
      if (order.type === "launch-connector" || order.type === "launch-task") {
        if (this.running.has(name)) throw new Error(`${name} was launched beside itself`)
        const held = order.type === "launch-task" && order.held
        this.running.set(name, { id: order.id, launch: order.launch, config: order.config, held })
        const taskConfigs = Array.from({ length: Number(order.config["tasks"] ?? 0) }, (_, task) => ({
          of: order.config["version"] ?? "",
          task: `${task}`,
        }))
        this.report(order.id, order.type === "launch-connector" ? { type: "up", taskConfigs } : { type: "up" })
      } else if (order.type === "halt") this.halting.add(name)
      else {
        const instance = this.running.get(name)
        if (instance) instance.held = order.type === "hold"
      }
    }
  }

  report(id: UnitId, report: Report): void {
    const instance = this.running.get(Bench.name(id))
    if (!instance) return
    if (report.type === "ended") {
      this.running.delete(Bench.name(id))
      this.halting.delete(Bench.name(id))
    }
    this.carryOut(this.herder.reported(id, instance.launch, report, this.now))
  }

  fail(id: UnitId, trace = "broken"): void {
    this.report(id, { type: "fail", trace })
    this.report(id, { type: "ended" })
  }

  settle(): void {
    for (let rounds = 0; this.halting.size > 0; rounds++) {
      if (rounds > 1000) throw new Error("never settles")
      const name = [...this.halting][0]!
      this.report(this.running.get(name)!.id, { type: "ended" })
    }
  }

  passTime(ms: number): void {
    this.now += ms
    this.carryOut(this.herder.tick(this.now))
  }

  states(name: string): string {
    const status = this.herder.status(name)
    return status ? [status.connector, ...status.tasks].map((unit) => unit.state).join(" ") : "none"
  }
}

const create = (bench: Bench, config: ConnectorConfig, policy = POLICY) =>
  bench.carryOut(bench.herder.configured("c", config, policy))

const task = (number: number): UnitId => ({ connector: "c", task: number })

describe("herder", () => {
  it("runs a connector and its tasks", () => {
    const bench = new Bench()
    create(bench, { tasks: "2" })
    expect(bench.states("c")).toBe("RUNNING RUNNING RUNNING")
    expect(bench.herder.taskConfigs("c")).toHaveLength(2)
  })

  it("does nothing when the same configuration comes again", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" })
    bench.orders.length = 0
    create(bench, { tasks: "1" })
    expect(bench.orders).toEqual([])
  })

  it("starts new tasks only when all old ones have ended", () => {
    const bench = new Bench()
    create(bench, { tasks: "2", version: "1" })
    create(bench, { tasks: "3", version: "2" })
    bench.report({ connector: "c", task: undefined }, { type: "ended" })
    bench.orders.length = 0
    bench.report(task(0), { type: "ended" })
    expect(bench.orders).toEqual([])
    bench.report(task(1), { type: "ended" })
    expect(bench.orders).toEqual(["launch-task c/0", "launch-task c/1", "launch-task c/2"])
    expect(
      [...bench.running.values()].filter((one) => one.id.task !== undefined).map((one) => one.config["of"]),
    ).toEqual(["2", "2", "2"])
  })

  it("keeps tasks running when a change of configuration does not touch them", () => {
    const bench = new Bench()
    create(bench, { tasks: "2", unrelated: "1" })
    create(bench, { tasks: "2", unrelated: "2" })
    bench.orders.length = 0
    bench.settle()
    expect(bench.orders.filter((order) => order.includes("task"))).toEqual([])
    expect(bench.states("c")).toBe("RUNNING RUNNING RUNNING")
  })

  it("pauses and resumes without ending tasks", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" })
    bench.carryOut(bench.herder.targeted("c", "PAUSED"))
    expect(bench.states("c")).toBe("PAUSED PAUSED")
    expect(bench.running.get("c/0")?.held).toBe(true)
    bench.carryOut(bench.herder.targeted("c", "STARTED"))
    expect(bench.states("c")).toBe("RUNNING RUNNING")
    expect(bench.orders.filter((order) => order.startsWith("halt"))).toEqual([])
  })

  it("stops by ending all tasks, and starts again", () => {
    const bench = new Bench()
    create(bench, { tasks: "2" })
    bench.carryOut(bench.herder.targeted("c", "STOPPED"))
    expect(bench.states("c")).toBe("STOPPED")
    expect(bench.herder.isIdle("c")).toBe(false)
    bench.settle()
    expect(bench.herder.isIdle("c")).toBe(true)
    bench.carryOut(bench.herder.targeted("c", "STARTED"))
    expect(bench.states("c")).toBe("RUNNING RUNNING RUNNING")
  })

  it("launches paused what was paused while it was stopped", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" })
    bench.carryOut(bench.herder.targeted("c", "STOPPED"))
    bench.settle()
    bench.carryOut(bench.herder.targeted("c", "PAUSED"))
    expect(bench.states("c")).toBe("PAUSED PAUSED")
    expect(bench.running.get("c/0")?.held).toBe(true)
  })

  it("restarts a failed task after growing delays, and alone", () => {
    const bench = new Bench()
    create(bench, { tasks: "2" })
    bench.fail(task(0), "first")
    expect(bench.states("c")).toBe("RUNNING FAILED RUNNING")
    expect(bench.herder.status("c")?.tasks[0]?.trace).toBe("first")
    expect(bench.herder.nextDeadline()).toBe(100)
    bench.passTime(99)
    expect(bench.states("c")).toBe("RUNNING FAILED RUNNING")
    bench.passTime(1)
    expect(bench.states("c")).toBe("RUNNING RUNNING RUNNING")
    expect(bench.herder.status("c")?.tasks[0]?.trace).toBeUndefined()
    bench.fail(task(0))
    expect(bench.herder.nextDeadline()).toBe(bench.now + 200)
    bench.passTime(200)
    bench.passTime(POLICY.resetMs)
    bench.fail(task(0))
    expect(bench.herder.nextDeadline()).toBe(bench.now + 100)
  })

  it("leaves it FAILED when the policy says so, until asked", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" }, NEVER)
    bench.fail(task(0))
    expect(bench.herder.nextDeadline()).toBeUndefined()
    bench.passTime(1e9)
    expect(bench.states("c")).toBe("RUNNING FAILED")
    bench.carryOut(bench.herder.restart("c", { includeTasks: true, onlyFailed: true }))
    expect(bench.states("c")).toBe("RUNNING RUNNING")
    expect(bench.orders.filter((order) => order === "halt c/connector")).toEqual([])
  })

  it("stops restarting after so many failures in a row", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" }, { ...POLICY, attemptsMax: 2 })
    for (let count = 0; count < 3; count++) {
      bench.fail(task(0))
      bench.passTime(1_000)
    }
    expect(bench.states("c")).toBe("RUNNING FAILED")
  })

  it("ignores what an earlier launch still says", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" })
    const { launch } = bench.running.get("c/0")!
    bench.carryOut(bench.herder.restartTask("c", 0))
    bench.settle()
    bench.carryOut(bench.herder.reported(task(0), launch, { type: "fail", trace: "late" }, 0))
    expect(bench.states("c")).toBe("RUNNING RUNNING")
  })

  it("does not run a connector beside the ghost of its namesake", () => {
    const bench = new Bench()
    create(bench, { tasks: "1", version: "1" })
    bench.carryOut(bench.herder.removed("c"))
    expect(bench.states("c")).toBe("none")
    expect(bench.herder.names()).toEqual([])
    create(bench, { tasks: "1", version: "2" })
    expect(bench.running.get("c/0")?.config["of"]).toBe("1")
    bench.settle()
    expect(bench.running.get("c/0")?.config["of"]).toBe("2")
    expect(bench.states("c")).toBe("RUNNING RUNNING")
  })

  it("is gone when it was removed and everything has ended", () => {
    const bench = new Bench()
    create(bench, { tasks: "3" })
    bench.carryOut(bench.herder.removed("c"))
    bench.settle()
    expect(bench.running.size).toBe(0)
    expect(bench.herder.isIdle()).toBe(true)
  })

  it("a source at its end is still running", () => {
    const bench = new Bench()
    create(bench, { tasks: "1" })
    bench.report(task(0), { type: "completed" })
    expect(bench.herder.status("c")?.tasks[0]).toMatchObject({ state: "RUNNING", completed: true })
  })
})

describe("whatever happens", () => {
  const action = fc.oneof(
    fc.record({
      do: fc.constant("configure" as const),
      tasks: fc.integer({ min: 0, max: 3 }),
      version: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({
      do: fc.constant("target" as const),
      target: fc.constantFrom("STARTED" as const, "PAUSED" as const, "STOPPED" as const),
    }),
    fc.record({ do: fc.constant("fail" as const), task: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ do: fc.constant("restart" as const), includeTasks: fc.boolean(), onlyFailed: fc.boolean() }),
    fc.record({ do: fc.constant("end" as const) }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ do: fc.constant("remove" as const) }),
  )

  it("it ends up running what is wanted, once, with the latest configuration", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        const bench = new Bench()
        let wanted: { tasks: number; version: number; target: string } | undefined
        for (const step of actions) {
          if (step.do === "configure") {
            wanted = { target: wanted?.target ?? "STARTED", tasks: step.tasks, version: step.version }
            create(bench, { tasks: `${step.tasks}`, version: `${step.version}` })
          } else if (step.do === "target") {
            if (wanted) wanted.target = step.target
            bench.carryOut(bench.herder.targeted("c", step.target))
          } else if (step.do === "fail") bench.fail(task(step.task))
          else if (step.do === "restart") bench.carryOut(bench.herder.restart("c", step))
          else if (step.do === "wait") bench.passTime(step.ms)
          else if (step.do === "remove") {
            wanted = undefined
            bench.carryOut(bench.herder.removed("c"))
          } else if (bench.halting.size > 0)
            bench.report(bench.running.get([...bench.halting][0]!)!.id, { type: "ended" })
        }
        bench.settle()
        for (let turn = 0; turn < 5; turn++) {
          bench.passTime(2_000)
          bench.settle()
        }
        const tasks = [...bench.running.values()].filter((one) => one.id.task !== undefined)
        const count = wanted && wanted.target !== "STOPPED" ? wanted.tasks : 0
        expect(tasks).toHaveLength(count)
        for (const one of tasks) {
          expect(one.config["of"]).toBe(`${wanted!.version}`)
          expect(one.held).toBe(wanted!.target === "PAUSED")
        }
      }),
    )
  })
})
