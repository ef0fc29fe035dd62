/**
 * A store in memory: the same record texts, a list instead of a topic. For tests and for registries that need not last.
 */
import { decodeRecord, encodeKey, encodeValue, type RegistryRecord } from "../record/record.ts"
import type { RegistryStore } from "./store.ts"

export interface StoredText {
  readonly key: string
  readonly value: string | null
}

export class MemoryStore implements RegistryStore {
  readonly clusterId = "memory"
  readonly log: StoredText[]
  #replay: (record: RegistryRecord) => void = () => {}
  constructor(log: readonly StoredText[] = []) {
    this.log = [...log]
  }
  async open(replay: (record: RegistryRecord) => void): Promise<void> {
    this.#replay = replay
    for (const { key, value } of this.log) this.#deliver(key, value)
  }
  async catchUp(): Promise<void> {}
  async append(records: readonly RegistryRecord[]): Promise<void> {
    for (const record of records) {
      const text = { key: encodeKey(record), value: encodeValue(record) }
      this.log.push(text)
      this.#deliver(text.key, text.value)
    }
  }
  async close(): Promise<void> {}
  #deliver(key: string, value: string | null): void {
    const record = decodeRecord(key, value)
    if (record) this.#replay(record)
  }
}
