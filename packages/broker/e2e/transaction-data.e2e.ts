/** Records of transactions, their markers, and who may see them, beside a real Apache Kafka. Numbers in names are rows of the semantics. */
import { AddOffsetsToTxn } from "@millrace/protocol/messages/add-offsets-to-txn"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { DescribeProducers } from "@millrace/protocol/messages/describe-producers"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { WriteTxnMarkers } from "@millrace/protocol/messages/write-txn-markers"
import { batch, create, produce, TIME, versionsOf } from "./broker-topics.ts"
import { compare, differs, group, oracle } from "./oracle.ts"
import { readAll } from "./reading.ts"
import { errorsOf, type Side } from "./side.ts"

oracle()

const INVALID_PRODUCER_ID_MAPPING = 49
const CONCURRENT_TRANSACTIONS = 51

/** A producer with a transactional id: of version 1 up to Produce 11, of version 2 from 12 on. */
class Producer {
  readonly #side: Side
  readonly #topic: string
  readonly id: string
  producerId = -1
  producerEpoch = -1
  sequence = 0

  constructor(side: Side, topic: string, id: string) {
    this.#side = side
    this.#topic = topic
    this.id = id
  }

  async init(version = 4): Promise<this> {
    await this.#side.coordinator(this.id, 1)
    // Id 0 is what answers hold that have none: nobody here shall have it.
    await this.#side.askSilently(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })
    for (;;) {
      const answer = await this.#side.askSilently(InitProducerId, version, {
        ...{ transactionalId: this.id, transactionTimeoutMs: 60_000 },
      } as never)
      if (answer.errorCode === CONCURRENT_TRANSACTIONS) continue
      this.producerId = answer.producerId
      this.producerEpoch = answer.producerEpoch
      this.sequence = 0
      return this
    }
  }

  add(partitions: number[], version = 3) {
    return this.#patiently(() =>
      this.#side.askSilently(AddPartitionsToTxn, version, {
        v3AndBelowTransactionalId: this.id,
        v3AndBelowProducerId: this.producerId,
        v3AndBelowProducerEpoch: this.producerEpoch,
        v3AndBelowTopics: [{ name: this.#topic, partitions }],
      } as never),
    )
  }

  async send(
    values: string[],
    options: { version?: number; partition?: number; change?: object; transactionalId?: string | null } = {},
  ) {
    const { version = 11, partition = 0, change = {}, transactionalId = this.id } = options
    const { producerId, producerEpoch } = this
    const records = batch(values, {
      producerId,
      producerEpoch,
      baseSequence: this.sequence,
      transactional: true,
      ...change,
    })
    const answer = await produce(this.#side, this.#topic, records, { version, partition, transactionalId })
    if (errorsOf(answer).every((code) => code === 0)) this.sequence += values.length
  }

  async end(committed: boolean, version = 4): Promise<void> {
    const { producerId, producerEpoch } = this
    const answer = await this.#patiently(() =>
      this.#side.askSilently(EndTxn, version, { transactionalId: this.id, producerId, producerEpoch, committed }),
    )
    this.#side.note("end", [answer.errorCode, version])
    if (version < 5 || answer.errorCode !== 0) return
    if (answer.producerEpoch !== producerEpoch || answer.producerId !== producerId) this.sequence = 0
    this.producerId = answer.producerId
    this.producerEpoch = answer.producerEpoch
  }

  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await ask()
      if (!errorsOf(answer).includes(CONCURRENT_TRANSACTIONS)) return answer
    }
  }
}

/** Waits until the markers of all transactions of a partition are written. */
async function stable(side: Side, name: string, partitionIndex = 0): Promise<void> {
  const end = async (isolationLevel: number) => {
    const { topics } = await side.askSilently(ListOffsets, 7, {
      ...{ replicaId: -1, isolationLevel },
      topics: [{ name, partitions: [{ partitionIndex, timestamp: -1 }] }],
    })
    return topics[0]!.partitions[0]!.offset
  }
  while ((await end(0)) !== (await end(1)));
}

async function noteAll(side: Side, name: string): Promise<void> {
  for (const isolationLevel of [0, 1]) {
    for (const offset of [0, 1, 3, 5]) await readAll(side, name, { offset, isolationLevel })
    for (const timestamp of [-1, -2, TIME, TIME + 1]) {
      const { topics } = await side.askSilently(ListOffsets, 7, {
        ...{ replicaId: -1, isolationLevel },
        topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      // Not the times: a marker's is the broker's own.
      const { errorCode, offset, leaderEpoch } = topics[0]!.partitions[0]!
      side.note("offset", { isolationLevel, timestamp, errorCode, offset, leaderEpoch })
    }
  }
  await side.tell(DescribeProducers, 0, { topics: [{ name, partitionIndexes: [0] }] })
}

compare("31, 32, 33, 34: what readers see of transactions that are open, committed, aborted", async (side) => {
  const name = group("isolation")
  await create(side, name, 2)
  const [one, two] = [new Producer(side, name, group("one")), new Producer(side, name, group("two"))]
  await one.init()
  await two.init()
  await produce(side, name, batch(["plain"]))
  await one.add([0])
  await one.send(["a", "b"])
  await noteAll(side, name)
  await two.add([0, 1])
  await two.send(["c"])
  await produce(side, name, batch(["plain again"]))
  await noteAll(side, name)
  await one.end(false)
  for (;;) {
    // One transaction is over, the other keeps readers back.
    const { topics } = await side.askSilently(ListOffsets, 7, {
      ...{ replicaId: -1, isolationLevel: 0 },
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    })
    if (topics[0]!.partitions[0]!.offset === 6) break
  }
  await noteAll(side, name)
  await two.end(true)
  await stable(side, name)
  await noteAll(side, name)
  for (const version of [4, 5, 7, 11, 12]) await readAll(side, name, { version, isolationLevel: 1, offset: 2 })
  for (const [offset, maxBytes] of [
    [1, 100],
    [3, 80],
    [5, 200],
  ] as const) {
    await readAll(side, name, { isolationLevel: 1, offset, maxBytes, partitionMaxBytes: maxBytes })
  }
})

differs(
  "Kafka names aborted transactions that begin behind what it returns, up to where its index says",
  async (side) => {
    const name = group("aborted-behind")
    await create(side, name)
    const producer = await new Producer(side, name, group("behind")).init()
    await produce(side, name, batch(["plain"]))
    await producer.add([0])
    await producer.send(["a"])
    await producer.end(false)
    await stable(side, name)
    const answer = await readAll(side, name, { isolationLevel: 1, maxBytes: 1, partitionMaxBytes: 1 })
    return answer!.responses[0]!.partitions[0]!.abortedTransactions!.map(({ firstOffset }) => firstOffset)
  },
  { ours: [], kafkas: [1] },
)

differs(
  "Kafka does not look at the transactional id of who has offsets pending in the same partition",
  async (side) => {
    const name = group("whose-offsets")
    await create(side, name)
    const groupId = group("whose-offsets-group")
    await side.coordinator(groupId, 0)
    const producer = await new Producer(side, name, group("whose")).init()
    const { producerId, producerEpoch } = producer
    await side.askSilently(AddOffsetsToTxn, 3, { transactionalId: producer.id, producerId, producerEpoch, groupId })
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "" }]
    const errors: number[] = []
    for (const transactionalId of [producer.id, group("nobody")]) {
      const { topics } = await side.askSilently(TxnOffsetCommit, 3, {
        ...{ transactionalId, groupId, producerId, producerEpoch, topics: [{ name, partitions }] },
      } as never)
      errors.push(topics[0]!.partitions[0]!.errorCode)
    }
    await producer.end(true)
    return errors
  },
  { ours: [0, INVALID_PRODUCER_ID_MAPPING], kafkas: [0, 0] },
)

compare("26, 29, 42: batches that do not fit their transaction, of version 1", async (side) => {
  const name = group("txn-produce-1")
  await create(side, name, 3)
  const producer = await new Producer(side, name, group("misfit-1")).init()
  for (const version of [3, 8, 11]) {
    // Not in the transaction.
    await producer.send(["a"], { version })
  }
  await producer.add([0])
  await producer.send(["a"])
  await producer.send(["b"], { partition: 1 })
  await producer.send(["x"], { change: { producerEpoch: 7 } })
  await producer.send(["x"], { change: { producerEpoch: -1 } })
  await producer.send(["x"], { change: { baseSequence: 9 } })
  await producer.send(["x"], { change: { producerId: 987_654 } })
  await producer.send(["x"], { transactionalId: group("other") })
  await producer.send(["x"], { transactionalId: null })
  // Plain, while its transaction is open.
  await producer.send(["x"], { change: { transactional: false }, transactionalId: null })
  await producer.send(["x"], { change: { transactional: false } })
  await producer.end(true)
  await stable(side, name)
  await producer.send(["late"])
  await producer.add([0])
  await producer.send(["c"])
  await producer.end(false)
  await stable(side, name)
  await readAll(side, name, { isolationLevel: 1 })
})

compare("27, 40, 41, 42, 43: transactions of version 2", async (side) => {
  const name = group("txn-produce-2")
  await create(side, name, 3)
  const producer = await new Producer(side, name, group("misfit-2")).init(5)
  await producer.send(["a"], { version: 12 })
  await producer.send(["b"], { version: 12, partition: 1 })
  await producer.send(["x"], { version: 12, change: { producerEpoch: 7 } })
  await producer.send(["x"], { version: 12, change: { baseSequence: 9 } })
  await producer.send(["x"], { version: 12, partition: 2, change: { baseSequence: 9 } })
  await producer.send(["x"], { version: 12, change: { producerId: 987_654 } })
  await producer.send(["x"], { version: 12, transactionalId: group("other") })
  await producer.send(["x"], { version: 12, change: { transactional: false }, transactionalId: null })
  const before = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
  await producer.end(true, 5)
  for (const partition of [0, 1, 2]) await stable(side, name, partition)
  side.note("epochs", [before.producerEpoch, producer.producerEpoch])
  // Delayed: of the transaction that is over.
  await producer.send(["late"], { version: 12, change: { ...before, baseSequence: 1 } })
  await producer.send(["first"], { version: 12, change: { baseSequence: 0 } })
  await producer.end(false, 5)
  await stable(side, name)
  await producer.send(["again"], { version: 12, change: { baseSequence: 0 } })
  await producer.end(true, 5)
  await stable(side, name)
  await noteAll(side, name)
})

compare("48, 41: markers that an administrator writes", async (side) => {
  const name = group("markers")
  await create(side, name, 2)
  const producer = new Producer(side, name, group("hanging"))
  await producer.init()
  // Twice: an epoch before the one it has is an epoch, too.
  await producer.init()
  await producer.add([0])
  await producer.send(["a"])
  const { producerId, producerEpoch } = producer
  const write = (version: number, fields: object, topics: object[] = [{ name, partitionIndexes: [0] }]) =>
    side.tell(WriteTxnMarkers, version, {
      markers: [{ producerId, producerEpoch, transactionResult: false, coordinatorEpoch: 0, topics, ...fields }],
    } as never)
  for (const version of versionsOf(WriteTxnMarkers)) {
    await write(version, {}, [{ name: group("absent"), partitionIndexes: [0] }])
    await write(version, {}, [{ name, partitionIndexes: [7] }])
    await write(version, {}, [])
    await write(version, { producerEpoch: producerEpoch - 1 }, [{ name, partitionIndexes: [0, 1] }])
    await side.tell(WriteTxnMarkers, version, { markers: [] })
  }
  await write(1, { coordinatorEpoch: -1 })
  await write(1, { coordinatorEpoch: -1 })
  await write(1, { producerId: 3_000_000, producerEpoch: 0 })
  await stable(side, name)
  await noteAll(side, name)
})

compare("36: all versions of InitProducerId", async (side) => {
  await side.askSilently(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })
  for (const version of versionsOf(InitProducerId)) {
    const id = group(`init-v${version}`)
    await side.coordinator(id, 1)
    const init = (transactionalId: string | null, fields: object = {}) =>
      side.tell(InitProducerId, version, { transactionalId, transactionTimeoutMs: 60_000, ...fields } as never)
    await init(null)
    await init("")
    await init(id)
    await init(id)
    for (const transactionTimeoutMs of [0, -1, 900_001]) await init(id, { transactionTimeoutMs })
    await init(null, { transactionTimeoutMs: 0 })
    if (version < 3) continue
    await init(id, { producerId: 5, producerEpoch: -1 })
    await init(id, { producerId: -1, producerEpoch: 5 })
    await init(null, { producerId: 5, producerEpoch: 0 })
  }
})

compare("35, 38: all versions of the APIs of the coordinator of transactions", async (side) => {
  const name = group("txn-versions")
  await create(side, name, 2)
  const groupId = group("txn-versions-group")
  await side.coordinator(groupId, 0)
  const producer = await new Producer(side, name, group("txn-versions-id")).init()
  const claims = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
  const wrong = [
    {},
    { producerId: 987_654 },
    { producerEpoch: 9 },
    { transactionalId: group("nobody") },
    { transactionalId: "" },
  ]
  for (const version of versionsOf(AddPartitionsToTxn).filter((version) => version < 4)) {
    for (const {
      transactionalId = producer.id,
      producerId = claims.producerId,
      producerEpoch = claims.producerEpoch,
    } of wrong as (typeof claims & { transactionalId?: string })[]) {
      for (const topics of [
        [{ name, partitions: [0] }],
        [{ name, partitions: [7] }],
        [
          { name: group("absent"), partitions: [0] },
          { name, partitions: [0] },
        ],
        [],
        [{ name, partitions: [] }],
      ]) {
        await side.tell(AddPartitionsToTxn, version, {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: topics,
        } as never)
      }
    }
  }
  for (const version of versionsOf(AddOffsetsToTxn)) {
    for (const fields of wrong) {
      for (const to of [groupId, ""]) {
        await side.tell(AddOffsetsToTxn, version, {
          transactionalId: producer.id,
          ...claims,
          groupId: to,
          ...fields,
        } as never)
      }
    }
  }
  for (const version of versionsOf(TxnOffsetCommit).filter((version) => version < 5)) {
    for (const fields of [...wrong.slice(0, 3), { groupId: "" }, { groupId: group("txn-absent") }]) {
      for (const topics of [
        [],
        [{ name, partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "m" }] }],
        [{ name, partitions: [{ partitionIndex: 9, committedOffset: 5, committedMetadata: null }] }],
        [{ name: group("absent"), partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "" }] }],
      ]) {
        await side.tell(TxnOffsetCommit, version, {
          transactionalId: producer.id,
          groupId,
          ...claims,
          topics,
          ...fields,
        } as never)
      }
    }
  }
  for (const version of versionsOf(EndTxn)) {
    for (const fields of wrong.slice(1)) {
      await side.tell(EndTxn, version, { transactionalId: producer.id, ...claims, committed: true, ...fields } as never)
    }
  }
  await producer.end(true)
})
