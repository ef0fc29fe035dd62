/**
 * An assignor of one's own: what it is told, what its answer must be, and how that reaches the threads of processes.
 */
import { expect, test } from "vitest"
import { type AssignedMember, type AssignedTask, assignTasks } from "../../src/assignment/assignment.ts"
import { askAssignor, TaskAssignmentError } from "../../src/assignment/check-assignment.ts"
import { ofProcesses, seatInProcesses } from "../../src/assignment/seats.ts"
import type { ApplicationState, ProcessAssignment, TaskInfo } from "../../src/assignment/task-assignor.ts"
import { parseTaskId } from "../../src/topology/naming.ts"
import { RULES } from "./rules.ts"

const info = (name: string, isStateful: boolean): TaskInfo => ({
  name,
  id: parseTaskId(name),
  isStateful,
  stores: isStateful ? ["rows"] : [],
  inputs: [],
  changelogs: [],
  stateRecords: isStateful ? 10 : 0,
})

const state: ApplicationState = {
  applicationId: "app",
  tasks: new Map([info("0_0", true), info("0_1", true), info("1_0", false)].map((one) => [one.name, one])),
  processes: new Map(
    ["p", "q"].map((processId) => [
      processId,
      {
        processId,
        workers: 1,
        rack: undefined,
        tags: {},
        endpoint: undefined,
        active: [],
        standby: [],
        lags: new Map([
          ["0_0", 10],
          ["0_1", 10],
        ]),
      },
    ]),
  ),
  rules: RULES,
  builtIn: () => new Map(),
}

const ask = (given: Record<string, ProcessAssignment>) =>
  askAssignor({ name: "mine", assign: () => new Map(Object.entries(given)) }, state)

const whole = { p: { active: ["0_0", "1_0"], standby: ["0_1"] }, q: { active: ["0_1"], warmup: ["0_0"] } }

test("R6: an assignment in which every task runs once, and copies are elsewhere, is taken as it is", () => {
  expect(Object.fromEntries(ask(whole))).toEqual(whole)
})

test.each([
  [
    "ACTIVE_TASK_ASSIGNED_MULTIPLE_TIMES",
    { ...whole, q: { active: ["0_1", "0_0"] } },
    "task 0_0 is given to processes p and q",
  ],
  [
    "ACTIVE_TASK_ASSIGNED_MULTIPLE_TIMES",
    { ...whole, q: { active: ["0_1", "0_1"] } },
    "task 0_1 is given twice to process q",
  ],
  ["ACTIVE_TASK_NOT_ASSIGNED", { ...whole, q: { active: [] } }, "task 0_1 is given to no process"],
  [
    "INVALID_STANDBY_TASK",
    { ...whole, q: { active: ["0_1"], standby: ["1_0"] } },
    "a copy of task 1_0, which has no state",
  ],
  ["INVALID_STANDBY_TASK", { ...whole, q: { active: ["0_1"], warmup: ["0_1"] } }, "task 0_1, which it runs itself"],
  [
    "INVALID_STANDBY_TASK",
    { ...whole, q: { active: ["0_1"], standby: ["0_0"], warmup: ["0_0"] } },
    "copy of task 0_0 twice",
  ],
  ["MISSING_PROCESS_ID", { p: { active: ["0_0", "0_1", "1_0"] } }, "process q is left out"],
  ["UNKNOWN_PROCESS_ID", { ...whole, r: { active: [] } }, "there is no process r"],
  ["UNKNOWN_TASK_ID", { ...whole, q: { active: ["0_1", "7_7"] } }, "process q is given task 7_7, which there is not"],
] as const)("R6: %s is told by name", (kind, given, what) => {
  const failure = (() => {
    try {
      ask(given)
      return undefined
    } catch (thrown) {
      return thrown
    }
  })()
  expect(failure).toBeInstanceOf(TaskAssignmentError)
  expect((failure as TaskAssignmentError).kind).toBe(kind)
  expect((failure as TaskAssignmentError).message).toContain(`application "app", assignor "mine": `)
  expect((failure as TaskAssignmentError).message).toContain(what)
})

test("R6: an assignor that throws, or answers something else, is told by its name", () => {
  const failing = {
    name: "mine",
    assign(): never {
      throw new Error("no such zone")
    },
  }
  expect(() => askAssignor(failing, state)).toThrow(`application "app", assignor "mine": it failed: no such zone`)
  const late = { name: "late", assign: (async () => new Map()) as never }
  expect(() => askAssignor(late, state)).toThrow(/assignor "late": expected a Map.*it answered a promise/)
  const plain = { name: "plain", assign: (() => ({})) as never }
  expect(() => askAssignor(plain, state)).toThrow(/assignor "plain": expected a Map.*it answered object/)
})

test.each<[string, unknown, string]>([
  ["no list of what runs", { standby: ["0_0"] }, 'an array of tasks as "active", it is undefined'],
  ["nothing", null, 'an array of tasks as "active", it is undefined'],
  ["a set", { active: new Set(["0_1"]) }, 'an array of tasks as "active", it is object'],
  ["a task's name", { active: ["0_1"], standby: "0_0" }, 'an array of tasks as "standby", it is string'],
  ["no copies, as null", { active: ["0_1"], warmup: null }, 'an array of tasks as "warmup", it is null'],
])("R6: an answer that gives a process %s is told by name", (_, given, expected) => {
  expect(() => ask({ ...whole, q: given as ProcessAssignment })).toThrow(
    `application "app", assignor "mine": process q: expected ${expected}`,
  )
})

const member = (processId: string, thread: number, more: Partial<AssignedMember> = {}): AssignedMember => ({
  id: `${processId}${thread}`,
  stableName: `${processId}${thread}`,
  processId,
  tags: {},
  rack: undefined,
  running: [],
  standing: [],
  lags: new Map(),
  ...more,
})
const task = (name: string, isStateful = true): AssignedTask => ({
  name,
  subtopology: 0,
  isStateful,
  stateRecords: isStateful ? 10 : 0,
  inputRacks: [],
  changelogRacks: [],
})

test("R6: the threads of a process share its tasks evenly, and each keeps what it has", () => {
  const members = [member("p", 0, { running: ["a", "b"] }), member("p", 1, { standing: ["c"] }), member("q", 0)]
  const tasks = [task("a"), task("b"), task("c"), task("d", false), task("e", false)]
  const given = new Map([
    ["p", { active: ["a", "b", "d", "e"], standby: ["c"] }],
    ["q", { active: ["c"], standby: ["b"], warmup: ["a"] }],
  ])
  const { active, standby, warmup } = seatInProcesses(given, tasks, members, RULES)
  expect(Object.fromEntries(active)).toEqual({ p0: ["a", "d"], p1: ["b", "e"], q0: ["c"] })
  expect(Object.fromEntries(standby)).toEqual({ p0: [], p1: ["c"], q0: ["b", "a"] })
  expect(Object.fromEntries(warmup)).toEqual({ p0: [], p1: [], q0: ["a"] })
})

test("R6: the built-in assignor's answer, given back, has every task in the same process", () => {
  const tasks = ["a", "b", "c", "d", "e"].map((name, at) => task(name, at < 3))
  const members = [member("p", 0, { running: ["a", "b", "c"] }), member("p", 1), member("q", 0), member("r", 0)]
  const ours = assignTasks(tasks, members, RULES)
  const given = ofProcesses(ours, members)
  expect(ofProcesses(seatInProcesses(given, tasks, members, RULES), members)).toEqual(given)
})
