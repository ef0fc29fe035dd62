/** A broker in this process on a fresh directory, and a client that speaks raw frames to it over the in-memory network. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BufferPool, type Connection, type Host, memoryNet, type Net } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import {
  type Api,
  type Decoded,
  decodeResponse,
  encodeRequest,
  type Encodable,
  FrameSplitter,
} from "@millrace/protocol"
import { CreateTopics } from "@millrace/protocol/messages/create-topics"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { Produce } from "@millrace/protocol/messages/produce"
import { RecordBatchBuilder, type RecordBatchOptions } from "@millrace/protocol/record/builder"
import { onTestFinished } from "vitest"
import { Broker, type BrokerOptions } from "@millrace/broker"

const address = { host: "broker", port: 9092 }

export interface Started {
  readonly broker: Broker
  readonly net: Net
  readonly dataDir: string
  /** What the broker logged, but for that it made a cluster. */
  readonly messages: string[]
  readonly defects: unknown[]
  client(clientId?: string): Promise<Client>
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "millrace-broker-"))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Small coordinator topics and no waiting for further members: what a test wants unless it says otherwise. */
const testConfig = {
  "offsets.topic.num.partitions": "2",
  "transaction.state.log.num.partitions": "2",
  "group.initial.rebalance.delay.ms": "0",
}

export async function start(
  config: Record<string, string> = {},
  options: Partial<BrokerOptions> & { host?: Host } = {},
): Promise<Started> {
  const dataDir = options.dataDir ?? temporaryDirectory()
  const net = memoryNet()
  const messages: string[] = []
  const defects: unknown[] = []
  const broker = await Broker.start({
    host: nodeHost,
    net,
    listen: address,
    log: (message, { event }) => void (event === "cluster-made" || messages.push(message)),
    onDefect: (cause) => defects.push(cause),
    // Whoever reads what was given back reads this.
    buffers: new BufferPool({ poisons: true }),
    ...options,
    dataDir,
    config: { ...testConfig, ...config },
  })
  onTestFinished(() => broker.close())
  return { broker, net, dataDir, messages, defects, client: (clientId) => Client.connect(net, broker, clientId) }
}

type AnyApi = Api<any, any, any, any>

export class Client {
  readonly #connection: Connection
  readonly #clientId: string
  readonly #splitter = new FrameSplitter(200_000_000)
  readonly #waiting: { correlationId: number; answer: (frame: Uint8Array | undefined) => void }[] = []
  readonly #frames: Uint8Array[] = []
  readonly #onClose: (() => void)[] = []
  #nextId = 1
  closed = false

  static async connect(net: Net, broker: Pick<Broker, "address">, clientId = "test"): Promise<Client> {
    return new Client(await net.connect(broker.address), clientId)
  }

  private constructor(connection: Connection, clientId: string) {
    this.#connection = connection
    this.#clientId = clientId
    connection.attach({
      data: (chunk) => {
        for (const frame of this.#splitter.push(chunk)) {
          const next = this.#waiting.shift()
          if (next) next.answer(frame)
          else this.#frames.push(frame)
        }
      },
      close: () => {
        this.closed = true
        for (const { answer } of this.#waiting.splice(0)) answer(undefined)
        for (const done of this.#onClose.splice(0)) done()
      },
    })
  }

  /** Sends a request and answers its decoded response; undefined when the connection was closed instead. */
  async try<A extends AnyApi>(
    api: A,
    version: number,
    body: Encodable<A["request"]>,
  ): Promise<Decoded<A["response"]> | undefined> {
    if (this.closed) return undefined
    const correlationId = this.#nextId++
    const answered = new Promise<Uint8Array | undefined>((answer) => this.#waiting.push({ correlationId, answer }))
    const request = Buffer.concat(encodeRequest(api, version, { correlationId, clientId: this.#clientId }, body))
    // In two pieces: the broker has to gather it, in memory of its pool.
    const middle = request.length >> 1
    this.#connection.write([request.subarray(0, middle)])
    this.#connection.write([request.subarray(middle)])
    const frame = await answered
    if (!frame) return undefined
    const response = decodeResponse(api, version, frame)
    if (response.correlationId !== correlationId) throw new Error("an answer came out of order")
    return response.body as Decoded<A["response"]>
  }

  async send<A extends AnyApi>(
    api: A,
    version: number,
    body: Encodable<A["request"]>,
  ): Promise<Decoded<A["response"]>> {
    const response = await this.try(api, version, body)
    if (response === undefined) throw new Error(`the broker closed the connection on ${api.name} v${version}`)
    return response
  }

  /** Sends raw bytes, or a request that gets no answer. */
  write(chunks: readonly Uint8Array[]): void {
    this.#connection.write(chunks)
  }

  frame(): Promise<Uint8Array | undefined> {
    const ready = this.#frames.shift()
    if (ready) return Promise.resolve(ready)
    return new Promise((answer) => this.#waiting.push({ correlationId: -1, answer }))
  }

  whenClosed(): Promise<void> {
    return this.closed ? Promise.resolve() : new Promise((done) => this.#onClose.push(done))
  }

  destroy(): void {
    this.#connection.destroy()
  }

  async createTopic(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const response = await this.send(CreateTopics, 7, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: -1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    const topic = response.topics[0]!
    if (topic.errorCode !== 0) throw new Error(`cannot create ${name}: ${topic.errorMessage}`)
    return topic.topicId
  }

  async produce(topic: string, records: Uint8Array | null, options: ProduceOptions = {}) {
    const { partition = 0, version = 11, acks = -1, transactionalId = null } = options
    const response = await this.send(Produce, version, {
      acks,
      timeoutMs: 5000,
      transactionalId,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    })
    return response.responses[0]!.partitionResponses[0]!
  }

  async offset(topic: string, timestamp: number, isolationLevel = 0): Promise<number> {
    const response = await this.send(ListOffsets, 8, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
    })
    return response.topics[0]!.partitions[0]!.offset
  }

  async topicId(name: string): Promise<string> {
    const response = await this.send(Metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
    return response.topics[0]!.topicId
  }
}

export interface ProduceOptions {
  readonly partition?: number
  readonly version?: number
  readonly acks?: number
  readonly transactionalId?: string | null
}

export type TestRecord = string | { key?: string | null; value?: string | null; timestamp?: number }

export const NOW = Date.now()

/** One batch of records; a plain text is a value without a key. */
export function batch(records: readonly TestRecord[], options: RecordBatchOptions = {}): Uint8Array {
  const builder = new RecordBatchBuilder(options)
  for (const record of records) {
    const { key = null, value = null, timestamp = NOW } = typeof record === "string" ? { value: record } : record
    builder.append(timestamp, bytes(key), bytes(value))
  }
  return builder.build()
}

const bytes = (text: string | null) => (text === null ? null : new TextEncoder().encode(text))
