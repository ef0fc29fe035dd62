/** Reading back what a broker stored. */
import { Fetch } from "@millrace/protocol/messages/fetch"
import { batches, type RecordBatchView } from "@millrace/protocol/record/batch"
import { RecordReader } from "@millrace/protocol/record/record"
import type { Client } from "./harness.ts"

export interface ReadRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly batch: RecordBatchView
}

export interface FetchOptions {
  readonly partition?: number
  readonly offset?: number
  readonly isolationLevel?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly version?: number
}

export async function fetchOne(client: Client, topic: string, options: FetchOptions = {}) {
  return (await fetchAnswer(client, topic, options)).responses[0]!.partitions[0]!
}

/** All of the answer. */
export function fetchAnswer(client: Client, topic: string, options: FetchOptions = {}) {
  const { partition = 0, offset = 0, isolationLevel = 0, maxWaitMs = 0, minBytes = 1, version = 12 } = options
  return client.send(Fetch, version, {
    maxWaitMs,
    minBytes,
    maxBytes: options.maxBytes ?? 10_000_000,
    isolationLevel,
    topics: [
      {
        topic,
        partitions: [
          {
            partition,
            fetchOffset: offset,
            partitionMaxBytes: options.partitionMaxBytes ?? 10_000_000,
            currentLeaderEpoch: options.currentLeaderEpoch ?? -1,
            ...(version >= 12 ? { lastFetchedEpoch: options.lastFetchedEpoch ?? -1 } : {}),
          },
        ],
      },
    ],
  })
}

export function readRecords(bytes: Uint8Array | null): ReadRecord[] {
  const records: ReadRecord[] = []
  for (const batch of batches(bytes ?? new Uint8Array(0))) {
    const reader = new RecordReader(batch)
    while (reader.next()) {
      const { offset, timestamp } = reader
      records.push({ offset, timestamp, key: text(reader.key()), value: text(reader.value()), batch })
    }
  }
  return records
}

export async function fetchAll(client: Client, topic: string, options: FetchOptions = {}): Promise<ReadRecord[]> {
  return readRecords((await fetchOne(client, topic, options)).records)
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))
