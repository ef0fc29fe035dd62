/**
 * The metrics of a broker, one table: the Prometheus text and docs/reference/broker-metrics.md derive from it.
 *
 * A metric that Apache Kafka has too names its MBean; rates are left to whoever scrapes, `rate(…_total)`. Logs, and the lag of
 * groups, are of partitions that have been used since the start.
 */
import { histogramSamples, type Metric, type MetricsTable, one, type Sample } from "@millrace/metrics"
import type { TopicCounts } from "./counters.ts"
import type { BrokerReport, PartitionReport } from "./report.ts"

const perTopic =
  (key: keyof TopicCounts) =>
  ({ topics }: BrokerReport): readonly Sample[] =>
    topics.map((topic) => ({ labels: { topic: topic.topic }, value: topic[key] }))

const perPartition =
  (key: Exclude<keyof PartitionReport, "topic" | "partition">) =>
  ({ partitions }: BrokerReport): readonly Sample[] =>
    partitions.map((one) => ({ labels: { topic: one.topic, partition: String(one.partition) }, value: one[key] }))

const TOPIC_MBEAN = (name: string) => `kafka.server:type=BrokerTopicMetrics,name=${name}`
const LOG_MBEAN = (name: string) => `kafka.log:type=Log,name=${name}`

const METRICS: readonly Metric<BrokerReport>[] = [
  {
    name: "request_time_ms",
    type: "histogram",
    unit: "ms",
    labels: ["api", "le"],
    help: "From a whole request to its answer, what it waits for included; its count is the number of requests.",
    kafka: "kafka.network:type=RequestMetrics,name=TotalTimeMs,request=… and RequestsPerSec",
    read: ({ requests }) => requests.flatMap(({ api, time }) => histogramSamples(time, { api })),
  },
  {
    name: "bytes_in_total",
    type: "counter",
    unit: "bytes",
    labels: ["topic"],
    help: "Bytes of batches that producers appended, as they came.",
    kafka: TOPIC_MBEAN("BytesInPerSec"),
    read: perTopic("bytesIn"),
  },
  {
    name: "messages_in_total",
    type: "counter",
    unit: "records",
    labels: ["topic"],
    help: "Records that producers appended.",
    kafka: TOPIC_MBEAN("MessagesInPerSec"),
    read: perTopic("recordsIn"),
  },
  {
    name: "batches_in_total",
    type: "counter",
    unit: "batches",
    labels: ["topic"],
    help: "Batches that producers appended.",
    read: perTopic("batchesIn"),
  },
  {
    name: "failed_produce_requests_total",
    type: "counter",
    unit: "partitions of requests",
    labels: ["topic"],
    help: "Batches that a log refused: damaged, too large, out of sequence, fenced.",
    kafka: TOPIC_MBEAN("FailedProduceRequestsPerSec"),
    read: perTopic("produceFailures"),
  },
  {
    name: "bytes_out_total",
    type: "counter",
    unit: "bytes",
    labels: ["topic"],
    help: "Bytes of batches that were fetched.",
    kafka: TOPIC_MBEAN("BytesOutPerSec"),
    read: perTopic("bytesOut"),
  },
  {
    name: "fetch_requests_total",
    type: "counter",
    unit: "partitions of requests",
    labels: ["topic"],
    help: "Parts of fetch requests that were answered.",
    kafka: TOPIC_MBEAN("TotalFetchRequestsPerSec"),
    read: perTopic("fetches"),
  },
  {
    name: "failed_fetch_requests_total",
    type: "counter",
    unit: "partitions of requests",
    labels: ["topic"],
    help: "Parts of fetch requests that were refused.",
    kafka: TOPIC_MBEAN("FailedFetchRequestsPerSec"),
    read: perTopic("fetchFailures"),
  },
  {
    name: "log_size_bytes",
    type: "gauge",
    unit: "bytes",
    labels: ["topic", "partition"],
    help: "Bytes of the partition's segments.",
    kafka: LOG_MBEAN("Size"),
    read: perPartition("bytes"),
  },
  {
    name: "log_segments",
    type: "gauge",
    unit: "segments",
    labels: ["topic", "partition"],
    help: "Segments of the partition.",
    kafka: LOG_MBEAN("NumLogSegments"),
    read: perPartition("segments"),
  },
  {
    name: "log_start_offset",
    type: "gauge",
    unit: "offset",
    labels: ["topic", "partition"],
    help: "The first offset that can be read.",
    kafka: LOG_MBEAN("LogStartOffset"),
    read: perPartition("logStartOffset"),
  },
  {
    name: "log_end_offset",
    type: "gauge",
    unit: "offset",
    labels: ["topic", "partition"],
    help: "The offset that the next record gets.",
    kafka: LOG_MBEAN("LogEndOffset"),
    read: perPartition("logEndOffset"),
  },
  {
    name: "high_watermark",
    type: "gauge",
    unit: "offset",
    labels: ["topic", "partition"],
    help: "The offset below which consumers may read.",
    read: perPartition("highWatermark"),
  },
  {
    name: "partitions",
    type: "gauge",
    unit: "partitions",
    labels: [],
    help: "Partitions on this broker.",
    kafka: "kafka.server:type=ReplicaManager,name=PartitionCount",
    read: ({ partitionCount }) => one(partitionCount),
  },
  {
    name: "offline_partitions",
    type: "gauge",
    unit: "partitions",
    labels: [],
    help: "Partitions whose log cannot be used any more: after a failed disk or a damaged file. Above 0, somebody is needed.",
    kafka: "kafka.server:type=ReplicaManager,name=OfflineReplicaCount",
    read: ({ offlinePartitions }) => one(offlinePartitions),
  },
  {
    name: "topics",
    type: "gauge",
    unit: "topics",
    labels: [],
    help: "Topics of the cluster.",
    kafka: "kafka.controller:type=KafkaController,name=GlobalTopicCount",
    read: ({ topicCount }) => one(topicCount),
  },
  {
    name: "metadata_offset",
    type: "gauge",
    unit: "offset",
    labels: [],
    help: "The last record of the metadata log that counts here.",
    kafka: "kafka.server:type=broker-metadata-metrics, last-applied-record-offset",
    read: ({ metadataOffset }) => one(metadataOffset),
  },
  {
    name: "connections",
    type: "gauge",
    unit: "connections",
    labels: [],
    help: "Connections that are open.",
    kafka: "kafka.server:type=socket-server-metrics, connection-count",
    read: ({ connections }) => one(connections),
  },
  {
    name: "connections_accepted_total",
    type: "counter",
    unit: "connections",
    labels: [],
    help: "Connections that were let in.",
    kafka: "kafka.server:type=socket-server-metrics, connection-creation-total",
    read: ({ connectionsAccepted }) => one(connectionsAccepted),
  },
  {
    name: "connections_refused_total",
    type: "counter",
    unit: "connections",
    labels: [],
    help: "Connections that were closed at once: over a limit or a quota.",
    read: ({ connectionsRefused }) => one(connectionsRefused),
  },
  {
    name: "failed_authentications_total",
    type: "counter",
    unit: "connections",
    labels: ["listener"],
    help: "Connections that were not let in: the TLS handshake failed or was given up, or SASL failed.",
    kafka: "kafka.server:type=socket-server-metrics, failed-authentication-total",
    read: ({ failedAuthentications }) =>
      failedAuthentications.map(({ listener, count }) => ({ labels: { listener }, value: count })),
  },
  {
    name: "authorization_denials_total",
    type: "counter",
    unit: "questions",
    labels: ["operation", "resource"],
    help: "What clients asked for and no access rule allows, by operation and type of resource.",
    read: ({ denials }) =>
      denials.map(({ operation, resource, count }) => ({ labels: { operation, resource }, value: count })),
  },
  {
    name: "certificate_expiry_timestamp_seconds",
    type: "gauge",
    unit: "s",
    labels: ["listener"],
    help: "When the certificate that the listener shows expires, in seconds since 1970.",
    read: ({ certificates }) =>
      certificates.map(({ listener, notAfterMs }) => ({ labels: { listener }, value: notAfterMs / 1_000 })),
  },
  {
    name: "throttled_requests_total",
    type: "counter",
    unit: "requests",
    labels: [],
    help: "Requests after which the client was held back by a quota.",
    read: ({ throttled }) => one(throttled.count),
  },
  {
    name: "throttle_time_ms_total",
    type: "counter",
    unit: "ms",
    labels: [],
    help: "For how long clients were held back by quotas, all together.",
    kafka: "kafka.server:type={Produce,Fetch,Request}, throttle-time",
    read: ({ throttled }) => one(throttled.ms),
  },
  {
    name: "fetch_sessions",
    type: "gauge",
    unit: "sessions",
    labels: [],
    help: "Incremental fetch sessions that are kept.",
    kafka: "kafka.server:type=FetchSessionCache,name=NumIncrementalFetchSessions",
    read: ({ fetchSessions }) => one(fetchSessions),
  },
  {
    name: "waiting_fetches",
    type: "gauge",
    unit: "partitions of requests",
    labels: [],
    help: "Parts of fetch requests that wait for data.",
    kafka: "kafka.server:type=DelayedOperationPurgatory,name=PurgatorySize,delayedOperation=Fetch",
    read: ({ waitingFetches }) => one(waitingFetches),
  },
  {
    name: "groups",
    type: "gauge",
    unit: "groups",
    labels: ["type", "state"],
    help: "Groups, by type and state.",
    kafka: "kafka.server:type=group-coordinator-metrics, group-count and consumer-group-count",
    read: ({ groups }) => {
      const counts = new Map<string, { labels: Record<string, string>; value: number }>()
      for (const { type, state } of groups) {
        const found = counts.get(`${type} ${state}`) ?? { labels: { type, state }, value: 0 }
        found.value++
        counts.set(`${type} ${state}`, found)
      }
      return [...counts.values()]
    },
  },
  {
    name: "group_lag",
    type: "gauge",
    unit: "records",
    labels: ["group", "topic", "partition"],
    help: "Offsets between what a group has committed and the high watermark. Apache Kafka leaves this to clients.",
    read: ({ groups }) =>
      groups.flatMap(({ group, lags }) =>
        lags.map(({ topic, partition, lag }) => ({
          labels: { group, topic, partition: String(partition) },
          value: lag,
        })),
      ),
  },
  {
    name: "data_device_free_bytes",
    type: "gauge",
    unit: "bytes",
    labels: [],
    help: "What is free on the device with the data directory. At 0 nothing is appended until there is room again.",
    kafka: "UsableBytes of DescribeLogDirs (KIP-827)",
    read: ({ space }) => (space === undefined ? [] : one(space.usableBytes)),
  },
  {
    name: "data_device_size_bytes",
    type: "gauge",
    unit: "bytes",
    labels: [],
    help: "The size of that device.",
    kafka: "TotalBytes of DescribeLogDirs (KIP-827)",
    read: ({ space }) => (space === undefined ? [] : one(space.totalBytes)),
  },
  {
    name: "uptime_seconds",
    type: "gauge",
    unit: "s",
    labels: [],
    help: "Since the broker started.",
    read: ({ uptimeMs }) => one(uptimeMs / 1_000),
  },
]

export const BROKER_METRICS: MetricsTable<BrokerReport> = { prefix: "millrace_broker_", metrics: METRICS }
