/**
 * All partitions of one internal topic that this broker leads, each with its shard. See runner.ts for how one runs.
 *
 * A request for a partition that is led elsewhere gets NOT_COORDINATOR, and COORDINATOR_NOT_AVAILABLE while the internal
 * topic does not exist yet.
 */
import type { Clock } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { type CoordinatorLog, coordinatorPartition } from "./log.ts"
import { ShardRunner } from "./runner.ts"
import type { CoordinatorShard, EndTransactionMarker, Token, TransactionScope } from "./shard.ts"

export interface RuntimeOptions<Request, Record, Timeout, Send> {
  readonly log: CoordinatorLog
  readonly clock: Clock
  /** How long a reply may wait for the high watermark. */
  readonly commitTimeoutMs: number
  createShard(partition: number, leaderEpoch: number): CoordinatorShard<Request, Record, Timeout, Send>
  /** The answer to a request that was not handled, or whose records were not committed. */
  refuse(request: Request, error: ErrorCode): unknown
  send(partition: number, send: Send): void
  /** A partition's log cannot be replayed; its requests get NOT_COORDINATOR. */
  fault(partition: number, error: unknown): void
  /** A decision about a partition threw. It was taken back: see runner.ts. */
  defect(partition: number, error: unknown): void
}

/** The token of a request that never reaches a shard. */
const nobody = 0 as Token<never>

export class CoordinatorRuntime<Request, Record, Timeout, Send> {
  readonly #options: RuntimeOptions<Request, Record, Timeout, Send>
  readonly #runners = new Map<number, ShardRunner<Request, Record, Timeout, Send>>()

  constructor(options: RuntimeOptions<Request, Record, Timeout, Send>) {
    this.#options = options
  }

  /** The partition that keeps `id`, or undefined while the internal topic does not exist. */
  partitionFor(id: string): number | undefined {
    const count = this.#options.log.partitionCount()
    return count === 0 ? undefined : coordinatorPartition(id, count)
  }

  /** The partitions that are led here. */
  partitions(): number[] {
    return [...this.#runners.keys()]
  }

  request<Response>(
    partition: number | undefined,
    make: (token: Token<Response>) => Request,
    scope?: TransactionScope,
  ): Promise<Response> {
    const runner = partition === undefined ? undefined : this.#runners.get(partition)
    if (runner !== undefined) return runner.request(make, scope)
    const error = partition === undefined ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NOT_COORDINATOR
    return Promise.resolve(this.#options.refuse(make(nobody), error) as Response)
  }

  endTransaction(partition: number, marker: EndTransactionMarker): Promise<ErrorCode> {
    const runner = this.#runners.get(partition)
    return runner?.endTransaction(marker) ?? Promise.resolve(ErrorCode.NOT_COORDINATOR)
  }

  /** This broker leads the partition from now on: replays its log. An earlier epoch's state is dropped. */
  onElection(partition: number, leaderEpoch: number): void {
    const current = this.#runners.get(partition)
    if (current !== undefined && current.leaderEpoch >= leaderEpoch) return
    this.onResignation(partition)
    const { log, clock, commitTimeoutMs, createShard, refuse, send, fault, defect } = this.#options
    const runner = new ShardRunner<Request, Record, Timeout, Send>({
      partition,
      leaderEpoch,
      log,
      clock,
      commitTimeoutMs,
      shard: createShard(partition, leaderEpoch),
      refuse,
      send: (message) => send(partition, message),
      fault: (error) => fault(partition, error),
      defect: (error) => defect(partition, error),
    })
    this.#runners.set(partition, runner)
    runner.start()
  }

  onResignation(partition: number): void {
    this.#runners.get(partition)?.close(ErrorCode.NOT_COORDINATOR)
    this.#runners.delete(partition)
  }

  onHighWatermark(partition: number, highWatermark: number): void {
    this.#runners.get(partition)?.highWatermarkAdvanced(highWatermark)
  }

  close(): void {
    for (const runner of this.#runners.values()) runner.close(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    this.#runners.clear()
  }
}
