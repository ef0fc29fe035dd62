/**
 * Topics in memory, with transactions as a broker keeps them: records of an open transaction are in the log, readers of
 * committed records stop before the first of them, and each end of a transaction takes an offset for its marker.
 */
import type { Headers } from "@millrace/streams/dsl/record"
import type { RecordCursor } from "@millrace/streams/task/record-queue"

export class MemoryTransaction {
  state: "open" | "committed" | "aborted" = "open"
  /** Partitions written to, each of which gets a marker at the end. */
  readonly logs = new Set<MemoryLog>()

  end(state: "committed" | "aborted"): void {
    if (this.state !== "open") return
    this.state = state
    for (const log of this.logs) log.appendMarker()
  }
}

export interface LogEntry {
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
  readonly transaction: MemoryTransaction | undefined
  readonly isMarker: boolean
}

export class MemoryLog {
  readonly entries: LogEntry[] = []

  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Headers,
    transaction?: MemoryTransaction,
  ): void {
    transaction?.logs.add(this)
    this.entries.push({ offset: this.entries.length, timestamp, key, value, headers, transaction, isMarker: false })
  }

  appendMarker(): void {
    const offset = this.entries.length
    this.entries.push({
      offset,
      timestamp: 0,
      key: null,
      value: null,
      headers: [],
      transaction: undefined,
      isMarker: true,
    })
  }

  get endOffset(): number {
    return this.entries.length
  }

  /** Before the first record of a transaction that is still open. */
  get lastStableOffset(): number {
    const open = this.entries.findIndex((entry) => entry.transaction?.state === "open")
    return open < 0 ? this.entries.length : open
  }

  /** Committed records with `from <= offset < end`. */
  committed(from: number, end = this.lastStableOffset): LogEntry[] {
    const readable = this.entries.slice(from, Math.min(end, this.lastStableOffset))
    return readable.filter((entry) => !entry.isMarker && entry.transaction?.state !== "aborted")
  }
}

/** Steps through entries as the client's reader does through a batch. */
export class EntryCursor implements RecordCursor {
  readonly #entries: readonly LogEntry[]
  #index = -1

  constructor(entries: readonly LogEntry[]) {
    this.#entries = entries
  }

  next(): boolean {
    return ++this.#index < this.#entries.length
  }

  get offset(): number {
    return this.#entries[this.#index]!.offset
  }

  get timestamp(): number {
    return this.#entries[this.#index]!.timestamp
  }

  key(): Uint8Array | null {
    return this.#entries[this.#index]!.key
  }

  value(): Uint8Array | null {
    return this.#entries[this.#index]!.value
  }

  headers(): Headers {
    return this.#entries[this.#index]!.headers
  }
}
