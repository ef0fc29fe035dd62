import { afterAll, describe, expect, test } from "vitest"
import { CommitFailed, ProducerFenced, TransactionAbortable, TransactionAborted } from "../src/index.ts"
import { bytes, fresh, newClient, newTopic, pollUntil, readAll } from "./cluster.ts"

const client = newClient()
afterAll(() => client.close())

const values = async (topic: string, isolation: "read_committed" | "read_uncommitted" = "read_committed") =>
  (await readAll(client, topic, isolation)).map(({ value }) => value).toSorted()

describe.each([1, 2] as const)("transactions, protocol %i", (transactionVersionMax) => {
  const transactional = async (transactionalId = fresh("txn")) => {
    const producer = client.producer({ transactionalId, transactionVersionMax, transactionTimeoutMs: 20_000 })
    await producer.initTransactions()
    return producer
  }

  test("committed records are seen, aborted ones are not", async () => {
    const topic = await newTopic(client, 3)
    const producer = await transactional()
    for (let round = 0; round < 6; round++) {
      producer.beginTransaction()
      for (let partition = 0; partition < 3; partition++)
        producer.append(topic, partition, round, null, bytes(`${round}:${partition}`))
      if (round % 2 === 0) await producer.commitTransaction()
      else {
        await producer.flush()
        await producer.abortTransaction()
      }
    }
    await producer.close()
    const expected = [0, 2, 4].flatMap((round) => [0, 1, 2].map((partition) => `${round}:${partition}`))
    expect(await values(topic)).toEqual(expected)
    expect((await values(topic, "read_uncommitted")).length).toBe(18)
  })

  test("an aborted transaction over many fetches stays hidden, whatever lies between", async () => {
    const topic = await newTopic(client)
    const [aborting, committing] = await Promise.all([transactional(), transactional()])
    const expected: string[] = []
    for (let round = 0; round < 3; round++) {
      aborting.beginTransaction()
      committing.beginTransaction()
      for (let index = 0; index < 20; index++) {
        aborting.append(topic, 0, index, null, Buffer.alloc(500, 120))
        await aborting.flush()
        committing.append(topic, 0, index, null, bytes(`${round}:${String(index).padStart(2, "0")}`))
        await committing.flush()
        expected.push(`${round}:${String(index).padStart(2, "0")}`)
      }
      await aborting.abortTransaction()
      await committing.commitTransaction()
    }
    const records = await readAll(client, topic, "read_committed", { maxPartitionFetchBytes: 1000 })
    expect(records.map(({ value }) => value)).toEqual(expected)
    await Promise.all([aborting.close(), committing.close()])
  })

  test("partitions that join at the same time are all announced", async () => {
    const topic = await newTopic(client, 12)
    const producer = await transactional()
    producer.beginTransaction()
    const sends: Promise<unknown>[] = []
    for (let partition = 0; partition < 12; partition++) {
      sends.push(producer.send({ topic, partition, value: `${partition}` }))
      // Let the announcement of some go out before the others come.
      if (partition % 4 === 3) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(sends)
    await producer.commitTransaction()
    expect((await values(topic)).length).toBe(12)
    await producer.close()
  })

  test("offsets commit and abort with the records", async () => {
    const [input, output] = [await newTopic(client), await newTopic(client)]
    const feeder = client.producer()
    for (let index = 0; index < 10; index++) feeder.append(input, 0, index, null, bytes(`${index}`))
    await feeder.flush()
    await feeder.close()
    const groupId = fresh("group")
    const consumer = client.consumer({ groupId, autoOffsetReset: "earliest" })
    consumer.subscribe([input])
    await pollUntil(consumer, (records) => records.length === 10)
    const producer = await transactional()
    const committed = async () => (await consumer.committed([{ topic: input, partition: 0 }]))[0]!

    producer.beginTransaction()
    producer.append(output, 0, 0, null, bytes("no"))
    await producer.sendOffsetsToTransaction([{ topic: input, partition: 0, offset: 4 }], consumer.groupMetadata())
    await producer.abortTransaction()
    expect((await committed()).offset).toBe(-1)

    producer.beginTransaction()
    producer.append(output, 0, 0, null, bytes("yes"))
    const offsets = [{ topic: input, partition: 0, offset: 7, metadata: "txn 2" }]
    await producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata())
    await producer.commitTransaction()
    expect(await committed()).toMatchObject({ offset: 7, metadata: "txn 2" })
    expect(await values(output)).toEqual(["yes"])

    // Offsets of a member of another generation are refused, and the transaction can be aborted.
    producer.beginTransaction()
    const stale = { ...consumer.groupMetadata(), generationId: 77 }
    const refused = await producer.sendOffsetsToTransaction(offsets, stale).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(TransactionAbortable)
    expect((refused as Error).cause).toBeInstanceOf(CommitFailed)
    await expect(producer.commitTransaction()).rejects.toBeInstanceOf(TransactionAbortable)
    await producer.abortTransaction()

    // Offsets alone make a transaction too.
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction([{ topic: input, partition: 0, offset: 9 }], consumer.groupMetadata())
    await producer.commitTransaction()
    expect((await committed()).offset).toBe(9)
    await Promise.all([producer.close(), consumer.close()])
  })

  test("a second producer of the same id fences the first and ends its transaction", async () => {
    const topic = await newTopic(client)
    const transactionalId = fresh("txn")
    const old = await transactional(transactionalId)
    old.beginTransaction()
    old.append(topic, 0, 0, null, bytes("left open"))
    await old.flush()
    const young = await transactional(transactionalId)
    old.append(topic, 0, 0, null, bytes("too late"))
    await expect(old.commitTransaction()).rejects.toBeInstanceOf(ProducerFenced)
    expect(() => old.beginTransaction()).toThrow(ProducerFenced)
    young.beginTransaction()
    young.append(topic, 0, 0, null, bytes("young"))
    await young.commitTransaction()
    expect(await values(topic)).toEqual(["young"])
    await Promise.all([old.close(), young.close()])
  })

  test("a producer restarts under its id", async () => {
    const topic = await newTopic(client)
    const transactionalId = fresh("txn")
    for (let life = 0; life < 3; life++) {
      const producer = await transactional(transactionalId)
      producer.beginTransaction()
      producer.append(topic, 0, life, null, bytes(`life ${life}`))
      await producer.commitTransaction()
      await producer.close()
    }
    expect(await values(topic)).toEqual(["life 0", "life 1", "life 2"])
  })

  test("records that were not sent are dropped by an abort; the producer goes on", async () => {
    const topic = await newTopic(client)
    const producer = client.producer({ transactionalId: fresh("txn"), transactionVersionMax, lingerMs: 60_000 })
    await producer.initTransactions()
    producer.beginTransaction()
    const dropped = producer.send({ topic, partition: 0, value: "dropped" })
    dropped.catch(() => {})
    await producer.abortTransaction()
    await expect(dropped).rejects.toBeInstanceOf(TransactionAborted)
    producer.beginTransaction()
    producer.append(topic, 0, 0, null, bytes("kept"))
    await producer.commitTransaction()
    expect(await values(topic, "read_uncommitted")).toEqual(["kept"])
    await producer.close()
  })

  test("a failed record makes the transaction abortable, and the next one works", async () => {
    const topic = await newTopic(client, 1, { "max.message.bytes": "2000" })
    const producer = await transactional()
    producer.beginTransaction()
    producer.append(topic, 0, 0, null, bytes("first"))
    await producer.flush()
    producer.append(topic, 0, 0, null, Buffer.alloc(5000))
    await expect(producer.commitTransaction()).rejects.toThrow(/MESSAGE_TOO_LARGE/)
    expect(() => producer.append(topic, 0, 0, null, bytes("more"))).toThrow(TransactionAbortable)
    await producer.abortTransaction()
    producer.beginTransaction()
    producer.append(topic, 0, 0, null, bytes("second"))
    await producer.commitTransaction()
    expect(await values(topic)).toEqual(["second"])
    await producer.close()
  })

  test("an empty transaction costs nothing and works", async () => {
    const producer = await transactional()
    producer.beginTransaction()
    await producer.commitTransaction()
    producer.beginTransaction()
    await producer.abortTransaction()
    await producer.close()
  })
})
