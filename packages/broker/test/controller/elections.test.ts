import { ErrorCode } from "@millrace/protocol"
import { describe, expect, test } from "vitest"
import { alterPartitionReassignments } from "../../src/controller/reassignments.ts"
import { electLeaders, ElectionType } from "../../src/controller/elections.ts"
import { MetadataImage } from "../../src/controller/image.ts"
import type { MetadataRecord } from "../../src/controller/records.ts"

const TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
const { PREFERRED, UNCLEAN } = ElectionType

interface Case {
  readonly isr: number[]
  readonly leader: number
  readonly fenced?: readonly number[]
}

/** Replicas 1, 2, 3 of one partition; brokers live unless they are fenced. */
function image({ isr, leader, fenced = [] }: Case): MetadataImage {
  const made = new MetadataImage()
  const replicas = [1, 2, 3]
  const records: MetadataRecord[] = [
    ...replicas.map((brokerId): MetadataRecord => ({
      type: "RegisterBrokerRecord",
      data: {
        ...{ brokerId, isMigratingZkBroker: false, incarnationId: TOPIC_ID, brokerEpoch: 0, endPoints: [] },
        ...{ features: [], rack: null, fenced: fenced.includes(brokerId), inControlledShutdown: false },
        ...{ logDirs: [], cordonedLogDirs: null },
      },
    })),
    { type: "TopicRecord", data: { name: "t", topicId: TOPIC_ID } },
    {
      type: "PartitionRecord",
      data: {
        ...{ partitionId: 0, topicId: TOPIC_ID, replicas, isr, removingReplicas: [], addingReplicas: [], leader },
        ...{ leaderRecoveryState: 0, leaderEpoch: 4, partitionEpoch: 7, directories: [] },
        ...{ eligibleLeaderReplicas: null, lastKnownElr: null },
      },
    },
  ]
  records.forEach((record, offset) => made.replay(record, offset))
  return made
}

describe("an election", () => {
  test.each<[string, number, Case, ErrorCode | { leader: number; isr: number[] }]>([
    ["the preferred one leads", PREFERRED, { isr: [1, 2], leader: 1 }, ErrorCode.ELECTION_NOT_NEEDED],
    ["another leads", PREFERRED, { isr: [1, 2], leader: 2 }, { leader: 1, isr: [1, 2] }],
    ["nobody leads", PREFERRED, { isr: [1], leader: -1 }, { leader: 1, isr: [1] }],
    ["it is behind", PREFERRED, { isr: [2], leader: 2 }, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE],
    ["it is away", PREFERRED, { isr: [1, 2], leader: 2, fenced: [1] }, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE],
    ["somebody leads", UNCLEAN, { isr: [2], leader: 2 }, ErrorCode.ELECTION_NOT_NEEDED],
    ["one in sync lives", UNCLEAN, { isr: [2, 3], leader: -1, fenced: [2] }, { leader: 3, isr: [2, 3] }],
    ["none in sync lives", UNCLEAN, { isr: [2], leader: -1, fenced: [2] }, { leader: 1, isr: [1] }],
    ["none lives", UNCLEAN, { isr: [2], leader: -1, fenced: [1, 2, 3] }, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE],
  ])("where %s (type %i)", (_, electionType, state, expected) => {
    const target = image(state)
    const { records, response } = electLeaders(target, {
      topicPartitions: [{ topic: "t", partitions: [0] }],
      electionType,
    })
    records.forEach((record, index) => target.replay(record, target.offset + 1 + index))
    const [result] = response[0]!.partitionResult
    if (typeof expected === "number") {
      expect(result).toMatchObject({ partitionId: 0, errorCode: expected })
      expect(target.partition("t", 0)).toMatchObject({ leader: state.leader, leaderEpoch: 4 })
    } else {
      expect(result).toMatchObject({ partitionId: 0, errorCode: ErrorCode.NONE })
      expect(target.partition("t", 0)).toMatchObject({ ...expected, leaderEpoch: 5, partitionEpoch: 8 })
    }
  })

  test("of all partitions tells of those alone that needed one", () => {
    const ask = (state: Case) => electLeaders(image(state), { topicPartitions: null, electionType: PREFERRED }).response
    expect(ask({ isr: [1], leader: 1 })).toEqual([{ topic: "t", partitionResult: [] }])
    expect(ask({ isr: [1], leader: -1 })[0]!.partitionResult).toMatchObject([{ partitionId: 0, errorCode: 0 }])
  })
})

test.each([
  [[1, 2, 3], ErrorCode.NONE],
  [[3, 2, 1], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  [[1, 2], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
  [[4], ErrorCode.INVALID_REPLICA_ASSIGNMENT],
])("replicas are not moved from brokers 1, 2, 3 to %j", (replicas, errorCode) => {
  const asked = { topics: [{ name: "t", partitions: [{ partitionIndex: 0, replicas }] }] }
  const [topic] = alterPartitionReassignments(image({ isr: [1], leader: 1 }), {
    ...asked,
    allowReplicationFactorChange: true,
  })
  expect(topic!.partitions).toMatchObject([{ partitionIndex: 0, errorCode }])
})
