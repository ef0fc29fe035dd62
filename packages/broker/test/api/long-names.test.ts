/** Strings and numbers that a request may carry and a coordinator's record or an answer may not. */
import { ErrorCode } from "@millrace/protocol"
import { JoinGroup } from "@millrace/protocol/messages/join-group"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { expect, test } from "vitest"
import { start } from "../harness.ts"

/** Almost the longest string there is. */
const LONG = "x".repeat(32_760)

async function started(clientId = "test") {
  const broker = await start()
  const client = await broker.client(clientId)
  await client.createTopic("a")
  await client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["t"] })
  return { ...broker, client }
}
const commit = (groupId: string, retentionTimeMs: number) => ({
  groupId,
  generationIdOrMemberEpoch: -1,
  memberId: "",
  retentionTimeMs,
  topics: [{ name: "a", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] }],
})

test("offsets may be kept for ever", async () => {
  const { client } = await started()
  const { topics } = await client.send(OffsetCommit, 4, commit("g", Number.MAX_SAFE_INTEGER))
  expect(topics[0]!.partitions[0]!.errorCode).toBe(0)
})

test.each([
  ["client id", 9, LONG, null],
  ["client id", 3, LONG, undefined],
  ["instance id", 9, "test", LONG],
])(
  "a member's id fits an answer although its %s hardly does, in version %i",
  async (_, version, clientId, groupInstanceId) => {
    const { client, defects } = await started(clientId)
    const body = {
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: "",
      protocolType: "consumer",
      groupId: "g",
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
      protocols: [{ name: "range", metadata: new Uint8Array(4) }],
    }
    const { errorCode, memberId } = await client.send(JoinGroup, version, body)
    expect([ErrorCode.NONE, ErrorCode.MEMBER_ID_REQUIRED]).toContain(errorCode)
    expect(memberId).toMatch(/^x+-[-0-9a-f]{36}$/)
    expect(defects).toEqual([])
  },
)
