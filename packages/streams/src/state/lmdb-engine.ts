/**
 * The engine on disk: one LMDB environment per process, one database per store and partition.
 *
 * Worker threads open the same environment, and LMDB lets one write at a time. A handle of a database stands in a table that
 * the threads share, so databases are emptied and never dropped: a handle that another thread still holds would come to
 * mean another database.
 *
 * A batch is queued in one transaction that LMDB commits in its background thread, checkpoint included, so that the main
 * thread pays only for queueing. Nothing here may use `noSync`: after a power cut the file must be some past state whole.
 *
 * LMDB has no checksums, so each value has its own before it, CRC-32C in 4 bytes. Where one does not fit, the engine throws
 * `CorruptState` and has no checkpoint from then on, also after a restart, until it was cleared: so it is rebuilt.
 */
import { crc32c } from "@millrace/protocol/record/crc32c"
import { type Database, open, type RootDatabase } from "lmdb"
import { CorruptState, StateError } from "../errors.ts"
import {
  type Checkpoint,
  engineName,
  type EngineStats,
  type EngineWrite,
  KEY_LENGTH_BYTES_MAX,
  parseEngineName,
  type StateEngine,
  type StateEngines,
} from "./engine.ts"

const STORES_MAX = 4_096
/** Below every store key: stores' own keys are never empty, this one is the lowest of one byte. */
const CHECKPOINT_KEY = Buffer.from([0])
const FIRST_KEY = Buffer.from([0, 0])
const CHECKPOINT_VERSION = 2
const CHECKSUM_BYTES = 4

/** Of one database, as LMDB counts them. */
interface LmdbStats {
  readonly entryCount: number
  readonly pageSize: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

class LmdbEngine implements StateEngine {
  readonly #name: string
  readonly #database: Database<Buffer, Uint8Array>
  #isCorrupt = false

  constructor(name: string, database: Database<Buffer, Uint8Array>) {
    this.#name = name
    this.#database = database
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const stored = this.#database.getBinary(wrapped(key))
    return stored && this.#checked(stored)
  }

  #checked(stored: Buffer): Uint8Array {
    const value = unsealed(stored)
    if (value !== undefined) return value
    this.#isCorrupt = true
    // What cannot be written now is met again.
    this.#database.remove(CHECKPOINT_KEY).catch(() => {})
    const { store, partition } = parseEngineName(this.#name)
    throw new CorruptState(store, partition)
  }

  *range(from?: Uint8Array, to?: Uint8Array, reverse = false): Iterable<readonly [Uint8Array, Uint8Array]> {
    const first = from === undefined ? FIRST_KEY : wrapped(from)
    const last = to === undefined ? {} : { [reverse ? "start" : "end"]: wrapped(to) }
    const options = reverse
      ? { ...last, end: first, reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start: first, ...last }
    for (const { key, value } of this.#database.getRange(options)) yield [key.subarray(1), this.#checked(value)]
  }

  async write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    for (const { key } of batch) {
      if (key.length > KEY_LENGTH_BYTES_MAX) {
        throw new StateError(`store ${this.#name}: a key has ${key.length} bytes, ${KEY_LENGTH_BYTES_MAX} are the most`)
      }
    }
    await this.#database.batch(() => {
      for (const { key, value } of batch) {
        if (value === null) void this.#database.remove(wrapped(key))
        else void this.#database.put(wrapped(key), sealed(value))
      }
      if (!this.#isCorrupt) void this.#database.put(CHECKPOINT_KEY, sealed(encodeCheckpoint(checkpoint)))
    })
  }

  checkpoint(): Checkpoint | undefined {
    const bytes = this.#database.getBinary(CHECKPOINT_KEY)
    const checkpoint = bytes && unsealed(bytes)
    return checkpoint === undefined || this.#isCorrupt ? undefined : decodeCheckpoint(checkpoint)
  }

  stats(): EngineStats {
    const { entryCount, pageSize, ...pages } = this.#database.getStats() as LmdbStats
    const count = pages.treeBranchPageCount + pages.treeLeafPageCount + pages.overflowPages
    // The checkpoint is an entry too.
    return { entries: Math.max(0, entryCount - 1), bytes: count * pageSize }
  }

  /** At once: a task that opens the store next must not find what is about to go. */
  empty(): void {
    this.#database.clearSync()
  }

  async clear(): Promise<void> {
    await this.#database.clearAsync()
    this.#isCorrupt = false
  }
}

export class LmdbEngines implements StateEngines {
  readonly #root: RootDatabase<Buffer, Uint8Array>
  readonly #engines = new Map<string, LmdbEngine>()

  /** `path` is a file; the caller holds the lock of the directory it lies in. */
  constructor(path: string) {
    this.#root = open<Buffer, Uint8Array>({
      path,
      noSubdir: true,
      maxDbs: STORES_MAX,
      encoding: "binary",
      keyEncoding: "binary",
    })
  }

  open(store: string, partition: number): StateEngine {
    return this.#open(engineName(store, partition))
  }

  #open(name: string): LmdbEngine {
    let engine = this.#engines.get(name)
    if (engine === undefined) {
      engine = new LmdbEngine(name, this.#root.openDB(name, { encoding: "binary", keyEncoding: "binary" }))
      this.#engines.set(name, engine)
    }
    return engine
  }

  list() {
    // LMDB ends names of databases with a zero byte.
    const names = [...this.#root.getKeys()].map((name) => Buffer.from(name).toString("utf8").replace(/\0$/, ""))
    return names.filter((name) => this.#open(name).checkpoint() !== undefined).map(parseEngineName)
  }

  async destroy(store: string, partition: number): Promise<void> {
    this.#open(engineName(store, partition)).empty()
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}

/** Store keys lie behind one byte, so that none can equal the checkpoint's. */
function wrapped(key: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(key.length + 1)
  out[0] = 1
  out.set(key, 1)
  return out
}

function sealed(value: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES)
  out.writeUInt32BE(crc32c(value), 0)
  out.set(value, CHECKSUM_BYTES)
  return out
}

/** undefined: it is damaged. */
function unsealed(stored: Buffer): Buffer | undefined {
  if (stored.length < CHECKSUM_BYTES) return undefined
  const value = stored.subarray(CHECKSUM_BYTES)
  return crc32c(value) === stored.readUInt32BE(0) ? value : undefined
}

function encodeCheckpoint({ topicId, offset, writtenAt }: Checkpoint): Buffer {
  return Buffer.from(JSON.stringify({ version: CHECKPOINT_VERSION, topicId, offset, writtenAt }))
}

function decodeCheckpoint(bytes: Buffer): Checkpoint | undefined {
  const { version, topicId, offset, writtenAt } = JSON.parse(bytes.toString("utf8"))
  return version === CHECKPOINT_VERSION ? { topicId, offset, writtenAt } : undefined
}
