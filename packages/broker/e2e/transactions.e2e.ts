/** Producers and transactions, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { AddOffsetsToTxn } from "@millrace/protocol/messages/add-offsets-to-txn"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { DescribeTransactions } from "@millrace/protocol/messages/describe-transactions"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { OffsetFetch } from "@millrace/protocol/messages/offset-fetch"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { compare, group, oracle, topic } from "./oracle.ts"
import { alone, fetchOffsets, newTopic, offsetTopics } from "./requests.ts"
import { type Side, errorsOf } from "./side.ts"

const concurrentTransactions = 51

oracle()

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

const patience = (response: unknown) => errorsOf(response).includes(concurrentTransactions)

const init = (
  side: Side,
  transactionalId: string | null,
  options: Partial<Producer> & { timeoutMs?: number } = {},
  version = 4,
) => {
  const { timeoutMs = 60_000, ...expected } = options
  return side.ask(
    InitProducerId,
    version,
    { transactionalId, transactionTimeoutMs: timeoutMs, ...expected } as never,
    patience,
  )
}

const add = (
  side: Side,
  transactionalId: string,
  { producerId, producerEpoch }: Producer,
  partitions: number[],
  version = 3,
) =>
  side.ask(
    AddPartitionsToTxn,
    version,
    {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
    } as never,
    patience,
  )

const end = (
  side: Side,
  transactionalId: string,
  { producerId, producerEpoch }: Producer,
  committed: boolean,
  version = 3,
) => side.ask(EndTxn, version, { transactionalId, producerId, producerEpoch, committed }, patience)

compare("35, 36, 37: producers take over and go on", async (side) => {
  await newTopic(side)
  const id = group("init")
  await side.coordinator(id, 1)
  // Id 0 is what answers hold that have none: nobody here shall have it.
  await side.askSilently(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })
  await init(side, null)
  await init(side, "")
  for (const timeoutMs of [0, -1, 900_001, 2_000_000_000]) await init(side, id, { timeoutMs })
  const first = await init(side, id)
  const second = await init(side, id, first)
  await init(side, id, first)
  await init(side, id, { producerId: second.producerId, producerEpoch: 99 })
  await init(side, id, { producerId: 987_654, producerEpoch: 0 }, 3)
  const third = await init(side, id)
  await init(side, id, second)
  await add(side, id, third, [0])
  // Its transaction is aborted first, and the one who comes gets an epoch behind the abort's.
  await init(side, id)
  for (const version of [1, 2, 3]) await add(side, id, third, [0], version)
  for (const version of [1, 2, 3]) await end(side, id, third, true, version)
})

compare("38, 39, 48: transactions of version 1", async (side) => {
  await newTopic(side)
  const id = group("txn")
  await side.coordinator(id, 1)
  const producer = await init(side, id)
  const describe = () => side.ask(DescribeTransactions, 0, { transactionalIds: [id, group("absent"), ""] })
  await describe()
  await end(side, id, producer, true)
  await end(side, id, producer, false)
  await add(side, id, producer, [0])
  await add(side, id, producer, [0, 2])
  await describe()
  await add(side, id, { ...producer, producerEpoch: 7 }, [1])
  await add(side, id, { ...producer, producerId: 987_654 }, [1])
  await add(side, group("absent"), producer, [1])
  await add(side, "", producer, [1])
  const verify = (version: number) =>
    side.ask(AddPartitionsToTxn, version, {
      transactions: [
        { transactionalId: id, ...claim(producer), verifyOnly: true, topics: [{ name: topic, partitions: [0, 1] }] },
        {
          transactionalId: group("absent"),
          ...claim(producer),
          verifyOnly: true,
          topics: [{ name: topic, partitions: [0] }],
        },
      ],
    } as never)
  await verify(4)
  await verify(5)
  await end(side, id, { ...producer, producerEpoch: 7 }, true)
  await end(side, id, { ...producer, producerId: 987_654 }, true)
  await end(side, group("absent"), producer, true)
  await end(side, id, producer, true)
  await end(side, id, producer, true)
  await end(side, id, producer, false)
  await describe()
  await add(side, id, producer, [1])
  await end(side, id, producer, false)
  await end(side, id, producer, false)
  await end(side, id, producer, true)
})

const claim = ({ producerId, producerEpoch }: Producer) => ({ producerId, producerEpoch })

compare("45, 46, 47: offsets in transactions", async (side) => {
  await newTopic(side)
  const [id, groupId] = [group("txn-offsets"), group("txn-group")]
  await side.coordinator(id, 1)
  await side.coordinator(groupId, 0)
  const producer = await init(side, id)
  const commit = (offset: number, options: { from?: Producer; version?: number; membership?: object } = {}) => {
    const { from = producer, version = 3, membership = {} } = options
    return side.ask(
      TxnOffsetCommit,
      version,
      {
        transactionalId: id,
        groupId,
        ...claim(from),
        ...membership,
        topics: offsetTopics({ index: 0, offset, metadata: "m" }),
      } as never,
      patience,
    )
  }
  const addOffsets = (from: Producer = producer) =>
    side.ask(AddOffsetsToTxn, 3, { transactionalId: id, ...claim(from), groupId }, patience)
  await addOffsets({ ...producer, producerEpoch: 7 })
  for (const committed of [true, false]) {
    await addOffsets()
    await commit(committed ? 10 : 20)
    await fetchOffsets(side, groupId, { requireStable: true })
    await fetchOffsets(side, groupId, { requireStable: false })
    await end(side, id, producer, committed)
    // Until the marker is written the offset is unstable on either broker.
    const { errorCode } = await side.askSilently(OffsetFetch, 7, {
      groupId,
      topics: null,
      requireStable: false,
    } as never)
    side.note("group error", errorCode)
    await stableOffsets(side, groupId)
    await fetchOffsets(side, groupId, { requireStable: true })
  }
  await addOffsets()
  await commit(30)
  await side.ask(OffsetCommit, 8, { groupId, memberId: "", topics: offsetTopics({ index: 0, offset: 40 }) })
  await end(side, id, producer, true)
  await stableOffsets(side, groupId)
  await fetchOffsets(side, groupId, { requireStable: true })
  // Membership is checked for those who claim it.
  const member = await alone(side, groupId)
  await addOffsets()
  const generationIdOrMemberEpoch = member.generationId
  await commit(50, { membership: { memberId: member.memberId, generationIdOrMemberEpoch } })
  await commit(50, { membership: { memberId: member.memberId, generationIdOrMemberEpoch: 99 } })
  await commit(50, { membership: { memberId: "stranger", generationIdOrMemberEpoch } })
  await commit(50, { membership: { memberId: member.memberId, generationIdOrMemberEpoch, groupInstanceId: "unknown" } })
  await commit(51, { version: 2 })
  await end(side, id, producer, true)
  await stableOffsets(side, groupId)
  await fetchOffsets(side, groupId)
})

/** Markers are written in the background. */
async function stableOffsets(side: Side, groupId: string): Promise<void> {
  for (;;) {
    const groups = [{ groupId, topics: [{ name: topic, partitionIndexes: [0, 1, 2] }] }]
    const answer = await side.askSilently(OffsetFetch, 8, { groups, requireStable: true } as never)
    if (errorsOf(answer).every((code) => code === 0)) return
  }
}

/** Partitions join a transaction of version 2 by being written to; the broker that is written to adds them like this. */
const addForClient = (side: Side, transactionalId: string, producer: Producer, partitions: number[]) =>
  side.ask(
    AddPartitionsToTxn,
    5,
    {
      transactions: [{ transactionalId, ...claim(producer), verifyOnly: false, topics: [{ name: topic, partitions }] }],
    } as never,
    patience,
  )

/**
 * A commit repeated after its transaction was aborted: INVALID_TXN_STATE in Kafka up to 4.4, PRODUCER_FENCED later
 * (apache/kafka#23204), which is what it means.
 */
async function endsInVain(side: Side, transactionalId: string, from: Producer): Promise<void> {
  const request = { transactionalId, ...claim(from), committed: true }
  let answer = await side.askSilently(EndTxn, 5, request)
  while (patience(answer)) answer = await side.askSilently(EndTxn, 5, request)
  side.note("a commit of what was aborted is refused", answer.errorCode === 48 || answer.errorCode === 90)
}

compare("39, 40, 43: transactions of version 2", async (side) => {
  await newTopic(side)
  const id = group("txn-2")
  await side.coordinator(id, 1)
  const producer = await init(side, id)
  const end5 = async (from: Producer, committed: boolean) => claim(await end(side, id, from, committed, 5))
  const epoch = (producerEpoch: number): Producer => ({ producerId: producer.producerId, producerEpoch })
  await end5(producer, true)
  await end5(epoch(7), false)
  await end5(producer, false)
  // Epoch 1 now, the abort complete.
  await endsInVain(side, id, epoch(0))
  await end5(epoch(0), false)
  await end5(epoch(1), true)
  await end5(epoch(1), false)
  await addForClient(side, id, epoch(1), [0])
  await addForClient(side, id, epoch(2), [0, 1])
  for (const committed of [true, false]) await end5(epoch(1), committed)
  await end5(epoch(2), true)
  // Epoch 3, the commit complete.
  for (const committed of [true, false]) await end5(epoch(2), committed)
  await end5(epoch(3), true)
  await addForClient(side, id, epoch(3), [2])
  await end5(epoch(3), false)
  await endsInVain(side, id, epoch(3))
  await end5(epoch(3), false)
  await side.ask(DescribeTransactions, 0, { transactionalIds: [id] })
  // Someone takes over in the middle.
  await addForClient(side, id, epoch(4), [0])
  const next = await init(side, id)
  await end5(epoch(4), true)
  await end5(next, true)
  await addForClient(side, id, next, [0])
  await end5(next, true)
})

compare("37, 44: a client of version 2 goes on after its transaction timed out", async (side) => {
  await newTopic(side)
  const id = group("txn-timeout")
  await side.coordinator(id, 1)
  const producer = await init(side, id, { timeoutMs: 1000 })
  await addForClient(side, id, producer, [0])
  for (;;) {
    const { transactionStates } = await side.askSilently(DescribeTransactions, 0, { transactionalIds: [id] })
    if (transactionStates[0]?.transactionState === "CompleteAbort") break
  }
  await side.ask(DescribeTransactions, 0, { transactionalIds: [id] })
  await endsInVain(side, id, producer)
  await addForClient(side, id, producer, [0])
  await init(side, id, producer)
  await init(side, id, producer)
})
