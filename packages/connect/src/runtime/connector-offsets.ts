/**
 * The offsets of one connector as the REST API shows and alters them (KIP-875): source partitions and offsets as they
 * are stored, a sink's consumer group as kafka_topic, kafka_partition and kafka_offset.
 */
import type { Admin, KafkaClient } from "@millrace/client"
import type { ResolvedConnector, ResolvedSink, ResolvedSource } from "../config/resolve.ts"
import type { SourceOffset, SourcePartition } from "../data/record.ts"
import type { SourceOffsets } from "../store/source-offsets.ts"
import { badRequest } from "./refused.ts"

export interface ConnectorOffset {
  readonly partition: Readonly<Record<string, unknown>>
  readonly offset: Readonly<Record<string, unknown>> | null
}

export interface SinkOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number | null
}

export class ConnectorOffsets {
  readonly #client: KafkaClient
  readonly #admin: Admin
  readonly #offsets: SourceOffsets
  constructor(client: KafkaClient, admin: Admin, offsets: SourceOffsets) {
    this.#client = client
    this.#admin = admin
    this.#offsets = offsets
  }

  async list(connector: ResolvedConnector): Promise<ConnectorOffset[]> {
    if (connector.kind === "source") {
      await this.#offsets.refresh()
      return this.#offsets.all(connector.name).map(({ partition, offset }) => ({ partition, offset }))
    }
    const committed = await this.#admin.listGroupOffsets(groupOf(connector))
    return committed.map(({ topic, partition, offset }) => ({
      partition: { kafka_topic: topic, kafka_partition: partition },
      offset: { kafka_offset: offset },
    }))
  }

  async alter(connector: ResolvedConnector, offsets: readonly ConnectorOffset[]): Promise<void> {
    if (connector.kind === "source") await this.#alterSource(connector, offsets)
    else await this.#alterSink(connector, offsets.map(sinkOffset))
  }

  async reset(connector: ResolvedConnector): Promise<void> {
    const all = await this.list(connector)
    if (all.length > 0)
      await this.alter(
        connector,
        all.map(({ partition }) => ({ partition, offset: null })),
      )
  }

  async #alterSource(connector: ResolvedSource, offsets: readonly ConnectorOffset[]): Promise<void> {
    const all = offsets as readonly { partition: SourcePartition; offset: SourceOffset | null }[]
    for (const { partition, offset } of all) {
      try {
        connector.definition.checkOffset?.(partition, offset)
      } catch (error) {
        throw badRequest((error as Error).message)
      }
    }
    const producer = this.#client.producer({})
    try {
      for (const { partition, offset } of all) this.#offsets.append(producer, connector.name, partition, offset)
      await producer.flush()
    } finally {
      await producer.close()
    }
    for (const { partition, offset } of all) this.#offsets.applied(connector.name, partition, offset)
  }

  async #alterSink(connector: ResolvedSink, offsets: readonly SinkOffset[]): Promise<void> {
    const admin = this.#admin
    const group = groupOf(connector)
    const wanted = new Map(offsets.map((one) => [`${one.partition} ${one.topic}`, one]))
    const kept = offsets.some((one) => one.offset === null)
      ? (await admin.listGroupOffsets(group)).filter((one) => !wanted.has(`${one.partition} ${one.topic}`))
      : []
    // A group has no call to forget single offsets: it is deleted and gets back those it keeps.
    if (offsets.some((one) => one.offset === null)) await admin.deleteGroups([group])
    const set = offsets.flatMap(({ topic, partition, offset }) =>
      offset === null ? [] : [{ topic, partition, offset }],
    )
    const all = [...kept.map(({ topic, partition, offset }) => ({ topic, partition, offset })), ...set]
    if (all.length > 0) await admin.alterGroupOffsets(group, all)
    await connector.definition.alterOffsets?.(connector.own as never, connector.name, offsets)
  }
}

const groupOf = (connector: ResolvedSink): string =>
  connector.sink["consumer.override.group.id"] ?? `connect-${connector.name}`

/** Offsets and partitions are taken as numbers and as their text. */
function sinkOffset({ partition, offset }: ConnectorOffset): SinkOffset {
  const topic = partition["kafka_topic"]
  if (typeof topic !== "string" || topic === "") throw badRequest("a sink's partition needs a kafka_topic")
  return {
    topic,
    partition: wholeNumber("kafka_partition", partition["kafka_partition"]),
    offset: offset === null ? null : wholeNumber("kafka_offset", offset["kafka_offset"]),
  }
}

function wholeNumber(name: string, value: unknown): number {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number
  throw badRequest(`${name} should be a whole number, not below 0`)
}
