import { ErrorCode } from "@millrace/protocol"
import { expect, test } from "vitest"
import { ScriptedBroker } from "../support/scripted-broker.ts"

const unknown = {
  ...{ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: null, groupId: "g", groupState: "Dead" },
  ...{ protocolType: "", protocolData: "", members: [], authorizedOperations: -1 },
}
const member = {
  ...{ memberId: "m", instanceId: "i", rackId: null, memberEpoch: 2, clientId: "c", clientHost: "/127.0.0.1" },
  ...{ subscribedTopicNames: ["t"], subscribedTopicRegex: null, memberType: 1 },
  assignment: { topicPartitions: [{ topicId: "AAAAAAAAAAAAAAAAAAAAEA", topicName: "t", partitions: [0, 2] }] },
  targetAssignment: { topicPartitions: [] },
}
const consumerGroup = (errorCode: number) => ({
  ...{ errorCode, errorMessage: null, groupId: "g", groupState: "Stable", groupEpoch: 2, assignmentEpoch: 2 },
  ...{ assignorName: "uniform", members: [member], authorizedOperations: -1 },
})

async function described(errorCode: number) {
  const broker = new ScriptedBroker()
  broker.handlers.set("DescribeGroups", () => ({ groups: [unknown] }))
  broker.handlers.set("ConsumerGroupDescribe", () => ({ groups: [consumerGroup(errorCode)] }))
  const client = await broker.client()
  try {
    return await client.admin().describeGroups(["g"])
  } finally {
    await client.close()
  }
}

test("a group whose broker assigns is described as one whose leader does", async () => {
  expect(await described(ErrorCode.NONE)).toEqual([
    {
      ...{ groupId: "g", type: "consumer", state: "Stable", protocolType: "consumer", protocol: "uniform" },
      members: [
        {
          ...{ memberId: "m", groupInstanceId: "i", clientId: "c", host: "/127.0.0.1" },
          ...{ metadata: new Uint8Array(0), assignment: new Uint8Array(0) },
          partitions: [
            { topic: "t", partition: 0 },
            { topic: "t", partition: 2 },
          ],
        },
      ],
    },
  ])
})

test("a group that is none of either protocol is dead; what else is wrong is said", async () => {
  expect(await described(ErrorCode.GROUP_ID_NOT_FOUND)).toMatchObject([{ state: "Dead", members: [] }])
  await expect(described(ErrorCode.GROUP_AUTHORIZATION_FAILED)).rejects.toThrow(/describing group g/)
})
