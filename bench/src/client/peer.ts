/**
 * What suite "client" asks of a client: reading a topic as a group, and writing one, in the way that its documentation
 * recommends for many records and with its defaults. Writing waits for all in-sync replicas.
 */
export interface Target {
  readonly brokers: string
  readonly topic: string
}

export interface Message {
  readonly key: string
  readonly value: Buffer
}

export interface Writer {
  /** Writes so many messages and resolves when all are acknowledged. */
  write(count: number, messageAt: (n: number) => Message): Promise<void>
  close(): Promise<void>
}

export interface ClientPeer {
  /** Reads from the beginning; tells the bytes of each record's value until `seen` answers false. */
  read(target: Target & { readonly group: string }, seen: (bytes: number) => boolean): Promise<void>
  writer(target: Target): Promise<Writer>
}

const PER_SEND = 1_000
const SENDS_IN_FLIGHT = 4

/** For clients that take messages by the list: some lists at once. */
export async function writeLists(
  count: number,
  messageAt: (n: number) => Message,
  send: (messages: Message[]) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const write = async () => {
    while (next < count) {
      const from = next
      next = Math.min(count, from + PER_SEND)
      await send(Array.from({ length: next - from }, (_, index) => messageAt(from + index)))
    }
  }
  await Promise.all(Array.from({ length: SENDS_IN_FLIGHT }, write))
}

/** Reads by `eachBatch` of kafkajs and those that are like it, until enough was seen. */
export const readBatches = (consumer: any, seen: (valueBytes: number) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const eachBatch = async ({ batch }: any) => {
      for (const { value } of batch.messages) if (!seen(value.length)) return resolve()
    }
    consumer.run({ eachBatch }).catch(reject)
  })
