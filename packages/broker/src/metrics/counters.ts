/**
 * What the broker counts while it works: per request and per partition of a request, never per record.
 */
import { Histogram } from "@millrace/metrics"

export interface TopicCounts {
  /** Batches that were appended, their bytes and records. */
  bytesIn: number
  recordsIn: number
  batchesIn: number
  /** Batches that a log refused. */
  produceFailures: number
  bytesOut: number
  fetches: number
  fetchFailures: number
}

export interface ThrottleCounts {
  count: number
  ms: number
}

const newTopicCounts = (): TopicCounts => ({
  bytesIn: 0,
  recordsIn: 0,
  batchesIn: 0,
  produceFailures: 0,
  bytesOut: 0,
  fetches: 0,
  fetchFailures: 0,
})

export class BrokerCounters {
  /** From a whole request to its answer, waits included, by the name of the API. */
  readonly requests = new Map<string, Histogram>()
  readonly topics = new Map<string, TopicCounts>()
  readonly throttled: ThrottleCounts = { count: 0, ms: 0 }
  connectionsAccepted = 0
  connectionsRefused = 0
  /** By listener. */
  readonly failedAuthentications = new Map<string, number>()
  /** By operation, by type of resource. */
  readonly denials = new Map<string, Map<string, number>>()

  answered(api: string, ms: number): void {
    let histogram = this.requests.get(api)
    if (histogram === undefined) this.requests.set(api, (histogram = new Histogram()))
    histogram.record(ms)
  }

  authenticationFailed(listener: string): void {
    this.failedAuthentications.set(listener, (this.failedAuthentications.get(listener) ?? 0) + 1)
  }

  denied(operation: string, resource: string): void {
    let ofOperation = this.denials.get(operation)
    if (ofOperation === undefined) this.denials.set(operation, (ofOperation = new Map()))
    ofOperation.set(resource, (ofOperation.get(resource) ?? 0) + 1)
  }

  topic(name: string): TopicCounts {
    let counts = this.topics.get(name)
    if (counts === undefined) this.topics.set(name, (counts = newTopicCounts()))
    return counts
  }

  held(ms: number): void {
    if (ms <= 0) return
    this.throttled.count++
    this.throttled.ms += ms
  }

  /** A deleted topic's counts go with it. */
  forget(topic: string): void {
    this.topics.delete(topic)
  }
}
