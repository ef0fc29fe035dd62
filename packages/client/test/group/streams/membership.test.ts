import { describe, expect, test } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import { type StreamsBeat, StreamsMembership, type StreamsStep } from "../../../src/group/streams/membership.ts"
import { StreamsStatus } from "@millrace/protocol/streams-status"
import { NO_TASKS, type StreamsTasks, taskLists } from "../../../src/group/streams/tasks.ts"

/** `0_1` is partition 1 of subtopology 0. */
const ids = (names: string) =>
  names
    .split(" ")
    .filter((name) => name !== "")
    .map((name) => ({ subtopologyId: name.split("_")[0]!, partition: Number(name.split("_")[1]) }))
const tasks = (active: string, standby = "", warmup = ""): StreamsTasks => ({
  active: ids(active),
  standby: ids(standby),
  warmup: ids(warmup),
})
const silent = { activeTasks: null, standbyTasks: null, warmupTasks: null }
const answer = (memberEpoch: number, told?: StreamsTasks, statusCode?: number) => ({
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  memberEpoch,
  status: statusCode === undefined ? [] : [{ statusCode, statusDetail: "why" }],
  ...(told === undefined ? silent : taskLists(told)),
})
const refusal = (errorCode: number) => ({ errorCode, errorMessage: "told so", memberEpoch: 0, status: null, ...silent })

/** Joined at epoch 5, with tasks that it has taken and reported. */
function settled(has: StreamsTasks = tasks("0_0 0_1")): StreamsMembership {
  const membership = new StreamsMembership("g", "m")
  membership.onAnswer(membership.beat(), answer(5, has))
  take(membership)
  membership.onAnswer(membership.beat(), answer(5))
  return membership
}

/** Does all that is to be done; answers it in short. */
function take(membership: StreamsMembership): string[] {
  const done: string[] = []
  for (let change = membership.change(); change !== undefined; change = membership.change()) {
    const names = (change.what === "take" ? change.added : change.tasks).map(
      (id) => `${id.subtopologyId}_${id.partition}`,
    )
    done.push(`${change.what} ${names.join(" ")}`.trim())
    if (change.what === "take") membership.took(change.tasks)
    else membership.gaveUp(change.tasks)
  }
  return done
}

test("it joins with epoch 0 and no tasks, takes what it is told, and reports that", () => {
  const membership = new StreamsMembership("g", "m")
  const join = membership.beat()
  expect(join).toMatchObject({ memberEpoch: 0, isJoining: true, reported: NO_TASKS })
  expect([membership.generation, membership.isSettled]).toEqual([-1, false])
  expect(membership.onAnswer(join, answer(1, tasks("0_0", "1_1")))).toBe("done")
  expect([membership.isSettled, take(membership)]).toEqual([false, ["take 0_0"]])
  expect([membership.generation, membership.isSettled, membership.mustReport]).toEqual([1, true, true])
  expect(membership.beat()).toMatchObject({ memberEpoch: 1, isJoining: false, reported: tasks("0_0", "1_1") })
  expect(membership.beat().reported).toBeNull()
})

test.each([
  StreamsStatus.ASSIGNMENT_DELAYED,
  StreamsStatus.MISSING_INTERNAL_TOPICS,
  StreamsStatus.MISSING_SOURCE_TOPICS,
])("an assignment of nothing counts once the group is ready: status %i", (status) => {
  const membership = new StreamsMembership("g", "m")
  membership.onAnswer(membership.beat(), answer(1, NO_TASKS, status))
  expect([take(membership), membership.isSettled, membership.isHindered]).toEqual([[], false, true])
  membership.onAnswer(membership.beat(), answer(1))
  expect([take(membership), membership.isSettled, membership.isHindered]).toEqual([["take"], true, false])
})

test("it gives up before it takes, keeps what stays, and says so", () => {
  const membership = settled()
  membership.onAnswer(membership.beat(), answer(5, tasks("0_1")))
  expect([take(membership), membership.beat().reported]).toEqual([["give-up 0_0"], tasks("0_1")])
  const other = settled()
  other.onAnswer(other.beat(), answer(6, tasks("0_1 0_2", "0_0")))
  expect([take(other), other.owned]).toEqual([["give-up 0_0", "take 0_2"], tasks("0_1 0_2", "0_0")])
})

test("the newest assignment counts, whatever was told before it was taken", () => {
  const membership = settled(tasks("0_0"))
  membership.onAnswer(membership.beat(), answer(6, tasks("0_0 0_1")))
  membership.onAnswer(membership.beat(), answer(7, tasks("0_0 0_2")))
  expect(take(membership)).toEqual(["take 0_2"])
})

describe("nothing is taken while a report is unanswered", () => {
  test("one that is on its way", () => {
    const membership = settled(tasks("0_0 0_1"))
    membership.onAnswer(membership.beat(), answer(6, tasks("0_1")))
    take(membership)
    const report = membership.beat()
    // Told by an answer that was on its way before the report: the coordinator will read that 0_2 is not owned here.
    membership.onAnswer({ ...report, reported: null }, answer(6, tasks("0_1 0_2")))
    expect([take(membership), membership.isSettled]).toEqual([[], true])
    membership.onAnswer(report, answer(6))
    expect(take(membership)).toEqual(["take 0_2"])
  })

  test("one that got no answer, until it is looked up what was given", () => {
    const membership = settled(tasks("0_0"))
    const lost = membership.beat()
    membership.onSilence(lost)
    const report = membership.beat()
    expect(report.reported).toEqual(tasks("0_0"))
    expect(membership.onAnswer(report, answer(6))).toBe("look-up")
    expect(take(membership)).toEqual([])
    membership.onLookedUp(report, { memberEpoch: 5, tasks: tasks("0_3") })
    expect(take(membership)).toEqual([])
    membership.onLookedUp(report, { memberEpoch: 6, tasks: tasks("0_0 0_1") })
    expect([take(membership), membership.isSettled]).toEqual([["take 0_1"], true])
  })

  test("but what is not told any more is given up, and an answer with tasks needs no look-up", () => {
    const membership = settled(tasks("0_0 0_1"))
    membership.onSilence(membership.beat())
    const report = membership.beat()
    expect(membership.onAnswer(report, answer(6, tasks("0_1 0_2")))).toBe("done")
    expect(take(membership)).toEqual(["give-up 0_0", "take 0_2"])
  })
})

//  code                                        joined         joining
test.each<[number, StreamsStep, StreamsStep]>([
  [ErrorCode.UNKNOWN_MEMBER_ID, "out", "out"],
  [ErrorCode.FENCED_MEMBER_EPOCH, "out", "out"],
  [ErrorCode.GROUP_ID_NOT_FOUND, "out", "fatal"],
  [ErrorCode.NOT_COORDINATOR, "coordinator", "coordinator"],
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, "coordinator", "coordinator"],
  [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, "backoff", "backoff"],
  [ErrorCode.INVALID_REQUEST, "fatal", "fatal"],
  [ErrorCode.GROUP_MAX_SIZE_REACHED, "fatal", "fatal"],
  [ErrorCode.STREAMS_INVALID_TOPOLOGY, "fatal", "fatal"],
  [ErrorCode.UNRELEASED_INSTANCE_ID, "fatal", "fatal"],
  [ErrorCode.FENCED_INSTANCE_ID, "fatal", "fatal"],
  [ErrorCode.GROUP_AUTHORIZATION_FAILED, "fatal", "fatal"],
  [ErrorCode.UNSUPPORTED_VERSION, "fatal", "fatal"],
])("code %i leads a member to %s, one that joins to %s", (code, joined, joining) => {
  const member = settled()
  expect(member.onAnswer(member.beat(), refusal(code))).toBe(joined)
  expect([member.isOut, member.fatal?.message]).toEqual([
    joined === "out" || joined === "fatal",
    joined === "fatal" ? expect.stringContaining("group g: told so") : undefined,
  ])
  const newcomer = new StreamsMembership("g", "m")
  expect(newcomer.onAnswer(newcomer.beat(), refusal(code))).toBe(joining)
  expect(newcomer.fatal !== undefined).toBe(joining === "fatal")
})

test("one that is out commits with its last epoch, never as nobody, and joins again once its tasks are let go", () => {
  const membership = settled()
  const late = membership.beat()
  membership.onAnswer(membership.beat(), refusal(ErrorCode.UNKNOWN_MEMBER_ID))
  expect([membership.generation, membership.owned, membership.change()]).toEqual([5, tasks("0_0 0_1"), undefined])
  membership.released()
  expect(membership.beat()).toMatchObject({ memberEpoch: 0, isJoining: true, reported: NO_TASKS })
  expect(membership.generation).toBe(5)
  expect(membership.onAnswer(late, answer(9, tasks("0_3")))).toBe("done")
  expect([membership.isJoining, membership.generation]).toEqual([true, 5])
  membership.onAnswer(membership.beat(), answer(10, tasks("0_3")))
  expect([take(membership), membership.generation]).toEqual([["take 0_3"], 10])
})

test("what an earlier membership hears changes nothing", () => {
  const membership = settled()
  const old: StreamsBeat = membership.beat()
  membership.left()
  membership.released()
  for (const code of [ErrorCode.FENCED_MEMBER_EPOCH, ErrorCode.INVALID_REQUEST])
    expect(membership.onAnswer(old, refusal(code))).toBe("done")
  membership.onSilence(old)
  membership.onLookedUp(old, { memberEpoch: 0, tasks: tasks("0_7") })
  expect([membership.isJoining, membership.fatal, membership.beat().reported]).toEqual([true, undefined, NO_TASKS])
})
