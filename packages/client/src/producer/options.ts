/**
 * A producer's settings, with defaults. Names are Kafka's in camel case.
 */
import type { Compression } from "@millrace/protocol/record/compression"
import type { Partitioner } from "./partitioner.ts"

export interface ProducerOptions {
  /** Makes the producer transactional. */
  readonly transactionalId?: string
  /** "all" waits for the in-sync replicas, 1 for the leader alone (and gives up idempotence). */
  readonly acks?: "all" | 1
  /** Default: true with acks "all". */
  readonly idempotent?: boolean
  /** How long a batch waits for more records. */
  readonly lingerMs?: number
  /** Bytes at which a batch is full. */
  readonly batchSize?: number
  readonly compression?: Compression
  /** Unanswered requests per broker, and batches per partition; idempotence allows at most 5. */
  readonly maxInFlight?: number
  /** Bytes of batches in one request. */
  readonly maxRequestSize?: number
  /** From the first append of a batch to its outcome. */
  readonly deliveryTimeoutMs?: number
  /** Bytes waiting above which `append` answers false and `waitForSpace` waits. */
  readonly bufferMemory?: number
  /** Bytes waiting above which `append` throws `BufferExhausted`; four times `bufferMemory` when not set. */
  readonly bufferMemoryMax?: number
  readonly transactionTimeoutMs?: number
  /** How long requests to the transaction coordinator are tried. */
  readonly transactionRequestTimeoutMs?: number
  /** Highest transaction protocol to use (KIP-890 is 2). */
  readonly transactionVersionMax?: 1 | 2
  readonly partitioner?: Partitioner
  /** Lets the broker create topics that are produced to (if it is so configured). */
  readonly allowAutoTopicCreation?: boolean
}

export interface ResolvedProducerOptions extends Required<Omit<ProducerOptions, "transactionalId" | "partitioner">> {
  readonly transactionalId: string | undefined
}

const IN_FLIGHT_IDEMPOTENT_MAX = 5
/** Who is at this many times `bufferMemory` did not wait when told to. */
const BUFFER_MAX_FACTOR = 4

export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  const acks = options.acks ?? "all"
  const idempotent = options.idempotent ?? acks === "all"
  const maxInFlight = options.maxInFlight ?? IN_FLIGHT_IDEMPOTENT_MAX
  if (idempotent && acks !== "all") throw new TypeError('idempotent: needs acks "all"')
  if (idempotent && maxInFlight > IN_FLIGHT_IDEMPOTENT_MAX) {
    throw new TypeError(
      `maxInFlight: ${maxInFlight} with idempotence, which brokers remember ${IN_FLIGHT_IDEMPOTENT_MAX} batches for`,
    )
  }
  if (options.transactionalId !== undefined && !idempotent) throw new TypeError("transactionalId: needs idempotence")
  if (maxInFlight < 1) throw new TypeError("maxInFlight: must be at least 1")
  const bufferMemory = options.bufferMemory ?? 32 * 1024 * 1024
  return {
    transactionalId: options.transactionalId,
    acks,
    idempotent,
    maxInFlight,
    lingerMs: options.lingerMs ?? 5,
    batchSize: options.batchSize ?? 128 * 1024,
    compression: options.compression ?? "none",
    maxRequestSize: options.maxRequestSize ?? 1024 * 1024,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    bufferMemory,
    bufferMemoryMax: options.bufferMemoryMax ?? bufferMemory * BUFFER_MAX_FACTOR,
    transactionTimeoutMs: options.transactionTimeoutMs ?? 60_000,
    transactionRequestTimeoutMs: options.transactionRequestTimeoutMs ?? 60_000,
    transactionVersionMax: options.transactionVersionMax ?? 2,
    allowAutoTopicCreation: options.allowAutoTopicCreation ?? true,
  }
}
