/** Subscriptions by regular expression (KIP-848, row 94), through a broker with its own library and access rules. */
import { ErrorCode } from "@millrace/protocol"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { expect, test } from "vitest"
import { AclOperation, AclResourceType, PatternType, PermissionType } from "@millrace/protocol/acl"
import { type Client, start } from "../harness.ts"

/** A member of group `g` that subscribes to what an expression matches. */
class Member {
  readonly #client: Client
  #epoch = 0

  constructor(client: Client) {
    this.#client = client
  }

  async join(subscribedTopicRegex: string) {
    await this.#client.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] })
    return this.#beat({ memberEpoch: 0, rebalanceTimeoutMs: 60_000, subscribedTopicRegex })
  }

  /** Topics by id; the assignment as it is after the next heartbeat that tells one. */
  async assigned(): Promise<string[]> {
    for (;;) {
      const { assignment } = await this.#beat({ memberEpoch: this.#epoch })
      if (assignment !== null) return assignment.topicPartitions.map(({ topicId }) => topicId)
    }
  }

  async #beat(fields: { memberEpoch: number; rebalanceTimeoutMs?: number; subscribedTopicRegex?: string }) {
    const answer = await this.#client.send(ConsumerGroupHeartbeat, 1, {
      ...{ groupId: "g", memberId: "m", subscribedTopicNames: null, topicPartitions: [] },
      ...fields,
    })
    if (answer.errorCode === ErrorCode.NONE) this.#epoch = answer.memberEpoch
    return answer
  }
}

const topicIds = (answer: Awaited<ReturnType<Member["join"]>>) =>
  answer.assignment?.topicPartitions.map(({ topicId }) => topicId)

test.each(["(", "a(?=b)", "(a)\\1", "a{1001}", "[b-a]"])("94: %s is no expression of RE2", async (expression) => {
  const client = await (await start()).client()
  const answer = await new Member(client).join(expression)
  expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION })
  expect(answer.errorMessage).toContain(expression)
})

test("94: an expression that other engines would try in 2^100 ways", async () => {
  const client = await (await start()).client()
  await client.createTopic(`${"a".repeat(100)}.`)
  const topicId = await client.createTopic("b")
  expect(topicIds(await new Member(client).join("(a+)+|(a|a)*|b"))).toEqual([topicId])
})

test("94: what may not be seen is not matched, and is as soon as it may be", async () => {
  const config = { "authorizer.class.name": "acl", "allow.everyone.if.no.acl.found": "true" }
  const client = await (await start(config)).client()
  const open = await client.createTopic("a-open")
  const secret = await client.createTopic("a-secret")
  const rule = { resourceType: AclResourceType.TOPIC, resourceName: "a-secret", principal: "User:ANONYMOUS" }
  const kind = { operation: AclOperation.DESCRIBE, permissionType: PermissionType.DENY }
  const created = await client.send(CreateAcls, 3, {
    creations: [{ ...rule, ...kind, host: "*", resourcePatternType: PatternType.LITERAL }],
  })
  expect(created.results).toMatchObject([{ errorCode: ErrorCode.NONE }])
  const member = new Member(client)
  expect(topicIds(await member.join("a-.*"))).toEqual([open])
  await client.send(DeleteAcls, 3, {
    filters: [
      {
        ...{ resourceTypeFilter: AclResourceType.TOPIC, resourceNameFilter: "a-secret" },
        ...{ patternTypeFilter: PatternType.LITERAL, principalFilter: null, hostFilter: null, ...kind },
      },
    ],
  })
  expect((await member.assigned()).sort()).toEqual([open, secret].sort())
})
