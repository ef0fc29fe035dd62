/**
 * A broker that answers what a test tells it to, over the in-memory network. Requests are logged as decoded; a handler
 * may answer, now or by a promise, stay silent ("silence") or cut the connection ("cut"), before or after having taken effect.
 */
import { type Connection, type Host, memoryNet, type Net } from "@millrace/host"
import {
  type Api,
  decodeRequest,
  decodeRequestHeader,
  encodeResponse,
  ErrorCode,
  FrameSplitter,
} from "@millrace/protocol"
import { AddOffsetsToTxn } from "@millrace/protocol/messages/add-offsets-to-txn"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { AlterUserScramCredentials } from "@millrace/protocol/messages/alter-user-scram-credentials"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { DeleteGroups } from "@millrace/protocol/messages/delete-groups"
import { DescribeGroups } from "@millrace/protocol/messages/describe-groups"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { ExpireDelegationToken } from "@millrace/protocol/messages/expire-delegation-token"
import { FindCoordinator } from "@millrace/protocol/messages/find-coordinator"
import { GetTelemetrySubscriptions } from "@millrace/protocol/messages/get-telemetry-subscriptions"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { ListOffsets } from "@millrace/protocol/messages/list-offsets"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { OffsetCommit } from "@millrace/protocol/messages/offset-commit"
import { Produce, type ProduceRequest } from "@millrace/protocol/messages/produce"
import { PushTelemetry } from "@millrace/protocol/messages/push-telemetry"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import { StreamsGroupHeartbeat } from "@millrace/protocol/messages/streams-group-heartbeat"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { KafkaClient, type ClientOptions } from "../../src/index.ts"
import { IdleClock } from "./idle-clock.ts"

export interface Logged {
  readonly api: string
  readonly version: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever body it is
  readonly body: any
}

// oxlint-disable-next-line typescript/no-explicit-any -- a handler knows its own API's types
export type Handler = (body: any, version: number) => unknown

const TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAEA"
const APIS: readonly Api[] = [
  ApiVersions,
  Metadata,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  Produce,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  TxnOffsetCommit,
  EndTxn,
  OffsetCommit,
  StreamsGroupHeartbeat,
  StreamsGroupDescribe,
  DescribeGroups,
  ConsumerGroupDescribe,
  DeleteGroups,
  DeleteAcls,
  ExpireDelegationToken,
  AlterUserScramCredentials,
  GetTelemetrySubscriptions,
  PushTelemetry,
]
/** Told of once there is a handler. */
const OPTIONAL: ReadonlySet<string> = new Set([GetTelemetrySubscriptions.name, PushTelemetry.name])

export class ScriptedBroker {
  readonly clock = new IdleClock()
  readonly net: Net = memoryNet()
  readonly log: Logged[] = []
  /** Batches as they were appended. */
  readonly appended: {
    readonly partition: number
    readonly sequence: number
    readonly epoch: number
    readonly count: number
  }[] = []
  readonly handlers = new Map<string, Handler>()
  features: { readonly name: string; readonly level: number }[] = []
  partitions = 4
  epoch = 0

  constructor() {
    const node = { nodeId: 1, host: "broker", port: 9092 }
    this.handlers.set("ApiVersions", () => ({
      errorCode: 0,
      apiKeys: APIS.filter(({ name }) => !OPTIONAL.has(name) || this.handlers.has(name)).map((api) => ({
        apiKey: api.key,
        minVersion: api.minVersion,
        maxVersion: api.maxVersion,
      })),
      finalizedFeaturesEpoch: 0,
      finalizedFeatures: this.features.map(({ name, level }) => ({
        name,
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
    }))
    this.handlers.set("Metadata", (body) => ({
      brokers: [node],
      clusterId: "scripted",
      controllerId: 1,
      topics: body.topics.map(({ name }: { name: string }) => ({
        errorCode: 0,
        name,
        topicId: TOPIC_ID,
        partitions: Array.from({ length: this.partitions }, (_, partitionIndex) => ({
          errorCode: 0,
          partitionIndex,
          leaderId: 1,
          leaderEpoch: 0,
          replicaNodes: [1],
          isrNodes: [1],
        })),
      })),
    }))
    this.handlers.set("FindCoordinator", (body) => ({
      coordinators: body.coordinatorKeys.map((key: string) => ({ ...node, key, errorCode: 0, errorMessage: null })),
    }))
    this.handlers.set("InitProducerId", () => ({ errorCode: 0, producerId: 7, producerEpoch: this.epoch++ }))
    this.handlers.set("Produce", (body: ProduceRequest) => this.append(body))
    this.handlers.set("AddPartitionsToTxn", (body) => ({
      resultsByTopicV3AndBelow: body.v3AndBelowTopics.map((topic: { name: string; partitions: number[] }) => ({
        name: topic.name,
        resultsByPartition: topic.partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: 0 })),
      })),
    }))
    this.handlers.set("AddOffsetsToTxn", () => ({ errorCode: 0 }))
    this.handlers.set("TxnOffsetCommit", (body) => ({
      topics: body.topics.map((topic: { name: string; partitions: { partitionIndex: number }[] }) => ({
        name: topic.name,
        partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
      })),
    }))
    this.handlers.set("EndTxn", () => ({ errorCode: 0 }))
  }

  /** Answers a Produce with `code` for every partition; appends when it is 0 or the test says so. */
  append(body: ProduceRequest, code: number = ErrorCode.NONE, effective = code === ErrorCode.NONE) {
    return {
      responses: body.topicData.map((topic) => ({
        name: topic.name,
        topicId: topic.topicId,
        partitionResponses: topic.partitionData.map(({ index, records }) => {
          const view = new RecordBatchView(records!)
          if (effective) {
            const { baseSequence: sequence, producerEpoch: epoch, recordCount: count } = view
            this.appended.push({ partition: index, sequence, epoch, count })
          }
          return { index, errorCode: code, baseOffset: 0 }
        }),
      })),
    }
  }

  /** Handles the next requests of an API by the given handlers, one each, then as before. */
  script(api: string, ...handlers: Handler[]): void {
    const usual = this.handlers.get(api)!
    this.handlers.set(api, (body, version) => {
      const next = handlers.shift()
      if (handlers.length === 0) this.handlers.set(api, usual)
      return (next ?? usual)(body, version)
    })
  }

  named(api: string): Logged[] {
    return this.log.filter((entry) => entry.api === api)
  }

  async client(options: Partial<ClientOptions> = {}): Promise<KafkaClient> {
    await this.net.listen({ host: "broker", port: 9092 }, (connection) => this.#serve(connection))
    const random = { float: () => 0.5, int: () => 0, bytes: (length: number) => new Uint8Array(length) }
    const host: Pick<Host, "clock" | "random" | "net"> = { clock: this.clock, random, net: this.net }
    return new KafkaClient({ host, brokers: "broker:9092", ...options })
  }

  #serve(connection: Connection): void {
    const splitter = new FrameSplitter(1 << 28)
    connection.attach({
      data: (chunk) => {
        for (const frame of splitter.push(chunk)) this.#answer(connection, frame)
      },
      close: () => {},
    })
  }

  #answer(connection: Connection, frame: Uint8Array): void {
    const { apiKey, apiVersion, correlationId } = decodeRequestHeader(frame)
    const api = APIS.find(({ key }) => key === apiKey)!
    const { body } = decodeRequest(api, frame)
    this.log.push({ api: api.name, version: apiVersion, body })
    const reply = (answer: unknown) => this.#reply(connection, api, apiVersion, correlationId, answer)
    const answer = this.handlers.get(api.name)!(body, apiVersion)
    if (answer instanceof Promise) void answer.then(reply)
    else reply(answer)
  }

  #reply(connection: Connection, api: Api, apiVersion: number, correlationId: number, answer: unknown): void {
    if (answer === "silence") return
    if (answer === "cut") return connection.destroy()
    // A refusal of ApiVersions comes in version 0 (KIP-511).
    const refused = api === ApiVersions && (answer as { errorCode: number }).errorCode === ErrorCode.UNSUPPORTED_VERSION
    const version = refused ? 0 : apiVersion
    connection.write(encodeResponse(api, version, correlationId, { throttleTimeMs: 0, ...(answer as object) }))
  }
}
