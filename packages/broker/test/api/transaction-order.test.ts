/** Row 42: what overtakes a transaction's first batch while the coordinator is asked about it. */
import type { Disk, DiskFile, Host } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { ErrorCode } from "@millrace/protocol"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { expect, test } from "vitest"
import { batch, type Client, start } from "../harness.ts"

const READ_COMMITTED = 1

/** A disk on which each flush of `__transaction_state` waits until it is let through, once `closed`. */
class FlushGate {
  closed = false
  readonly #waiting: (() => void)[] = []

  readonly host: Host = { ...nodeHost, disk: this.#gated(nodeHost.disk) }

  #gated(disk: Disk): Disk {
    return bound(disk, { open: (path, options) => this.#file(disk.open(path, options)) })
  }

  #file(file: DiskFile): DiskFile {
    if (!file.path.includes("__transaction_state")) return file
    return bound(file, {
      syncLater: async () => {
        if (this.closed) await new Promise<void>((pass) => this.#waiting.push(pass))
        await file.syncLater()
      },
    })
  }

  /** Lets the one flush that waits through. */
  async pass(): Promise<void> {
    while (this.#waiting.length === 0) await turn()
    this.#waiting.shift()!()
    await turns()
  }

  open(): void {
    this.closed = false
    for (const pass of this.#waiting.splice(0)) pass()
  }
}

function bound<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(name in replaced ? replaced : target, name) as unknown
      return typeof value === "function" ? (value.bind(target) as unknown) : value
    },
  })
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** All that can happen without the device has happened. */
async function turns(): Promise<void> {
  for (let count = 0; count < 50; count++) await turn()
}

async function withTransaction() {
  const gate = new FlushGate()
  const config = { "log.flush.interval.messages": "1", "transaction.state.log.num.partitions": "1" }
  const started = await start(config, { host: gate.host })
  const [client, other] = [await started.client(), await started.client()]
  await client.createTopic("a")
  await client.send(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ["t"] })
  const init = (transactionalId: string, by: Client = other) =>
    by.send(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 60_000 })
  await init("t", client)
  const { producerId, producerEpoch } = await init("t", client)
  const send = (baseSequence: number, version: number) => {
    const options = { producerId, producerEpoch, baseSequence, transactional: true }
    return client.produce("a", batch(["x"], options), { transactionalId: "t", version })
  }
  return { gate, client, other, init, producerId, producerEpoch, send }
}

test("a batch that the end of its transaction overtakes opens no transaction that nobody ends", async () => {
  const { gate, client, other, init, producerId, producerEpoch, send } = await withTransaction()
  await client.send(AddPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: "t",
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: "a", partitions: [0] }],
  })
  gate.closed = true
  const others = [init("u")]
  await turns()
  others.push(init("v"))
  await turns()
  const late = send(0, 11)
  await turns()
  const ended = other.send(EndTxn, 3, { transactionalId: "t", producerId, producerEpoch, committed: true })
  await turns()
  await gate.pass()
  gate.open()
  expect(await ended).toMatchObject({ errorCode: 0 })
  expect(await late).toMatchObject({ errorCode: ErrorCode.INVALID_TXN_STATE })
  await Promise.all(others)
  await client.produce("a", batch(["after"]))
  expect(await client.offset("a", -1, READ_COMMITTED)).toBe(await client.offset("a", -1))
})

test("a batch never overtakes an earlier one of its producer that still joins the transaction", async () => {
  const { gate, init, send } = await withTransaction()
  gate.closed = true
  const others = [init("u")]
  await turns()
  const sent = [send(0, 12)]
  await turns()
  await gate.pass()
  others.push(init("v"))
  await turns()
  sent.push(send(1, 12))
  await turns()
  await gate.pass()
  sent.push(send(2, 12))
  await turns()
  gate.open()
  expect((await Promise.all(sent)).map(({ errorCode }) => errorCode)).toEqual([0, 0, 0])
  await Promise.all(others)
})
