/** A deletion whose answer is lost is sent again; that it finds nothing then is its own doing. */
import { ErrorCode } from "@millrace/protocol"
import { expect, test } from "vitest"
import type { Admin } from "../../src/index.ts"
import { type Handler, ScriptedBroker } from "../support/scripted-broker.ts"

interface Deletion {
  readonly what: string
  readonly api: string
  readonly refusal: number
  readonly gone: number
  run(admin: Admin): Promise<unknown>
  answer(errorCode: number): unknown
}

const token: Omit<Deletion, "gone"> = {
  what: "a delegation token",
  api: "ExpireDelegationToken",
  refusal: ErrorCode.NOT_CONTROLLER,
  run: (admin) => admin.expireDelegationToken("aG1hYw=="),
  answer: (errorCode) => ({ errorCode, expiryTimestampMs: 5 }),
}

const DELETIONS: readonly Deletion[] = [
  { ...token, gone: ErrorCode.DELEGATION_TOKEN_NOT_FOUND },
  { ...token, what: "a delegation token that ended by itself", gone: ErrorCode.DELEGATION_TOKEN_EXPIRED },
  {
    what: "a user's credentials",
    api: "AlterUserScramCredentials",
    refusal: ErrorCode.NOT_CONTROLLER,
    gone: ErrorCode.RESOURCE_NOT_FOUND,
    run: (admin) => admin.alterScramCredentials([], [{ user: "alice", mechanism: "SCRAM-SHA-256" }]),
    answer: (errorCode) => ({ results: [{ user: "alice", errorCode, errorMessage: null }] }),
  },
  {
    what: "a group",
    api: "DeleteGroups",
    refusal: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    gone: ErrorCode.GROUP_ID_NOT_FOUND,
    run: (admin) => admin.deleteGroups(["g"]),
    answer: (errorCode) => ({ results: [{ groupId: "g", errorCode, errorMessage: null }] }),
  },
]

/** Each attempt is met by one of the answers, in turn. */
async function attempted<T>(api: string, answers: readonly unknown[], run: (admin: Admin) => Promise<T>): Promise<T> {
  const broker = new ScriptedBroker()
  broker.script(
    api,
    ...answers.map(
      (answer): Handler =>
        () =>
          answer,
    ),
  )
  const client = await broker.client()
  try {
    return await run(client.admin())
  } finally {
    await client.close()
    expect(broker.named(api)).toHaveLength(answers.length)
  }
}

test.each(DELETIONS)("$what that is gone when a lost answer's request comes again was deleted", async (deletion) => {
  const { api, refusal, gone, run, answer } = deletion
  await attempted(api, ["cut", answer(gone)], run)
  await attempted(api, ["cut", answer(refusal), answer(gone)], run)
})

test.each(DELETIONS)(
  "$what that was not there before is a fault, also when the first attempt was refused",
  async (one) => {
    const { api, refusal, gone, run, answer } = one
    await expect(attempted(api, [answer(gone)], run)).rejects.toMatchObject({ code: gone })
    await expect(attempted(api, [answer(refusal), answer(gone)], run)).rejects.toMatchObject({ code: gone })
  },
)

test("a token that a lost answer told of ended now", async () => {
  const gone = token.answer(ErrorCode.DELEGATION_TOKEN_NOT_FOUND)
  expect(await attempted(token.api, ["cut", gone], token.run)).toBeGreaterThan(1_700_000_000_000)
})

test("access rules that a lost answer told of are not listed, and nothing fails", async () => {
  const nothing = { filterResults: [{ errorCode: ErrorCode.NONE, errorMessage: null, matchingAcls: [] }] }
  expect(await attempted("DeleteAcls", ["cut", nothing], (admin) => admin.deleteAcls([{}]))).toEqual([])
})
