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
 * A look-up that finds nothing would cost what one does that finds a row: most keys that are not there are known without
 * (known-keys.ts). A store is one thread's at a time, and opened where it goes to another.
 *
 * LMDB has no checksums, so each value has its own before it, CRC-32C in 4 bytes. Where one does not fit, the engine throws
 * `CorruptState` and has no checkpoint from then on, also after a restart, until it was cleared: so it is rebuilt.
 */
import { crc32c } from "@millrace/protocol/record/crc32c"
import { type Database, open, type RootDatabase, type Transaction } from "lmdb"
import { CorruptState, StateError } from "../errors.ts"
import {
  type Checkpoint,
  contentOf,
  type EngineImage,
  engineName,
  type EngineStats,
  type EngineWrite,
  KEY_LENGTH_BYTES_MAX,
  parseEngineName,
  type StateEngine,
  type StateEngines,
} from "./engine.ts"
import { KnownKeys } from "./known-keys.ts"

const STORES_MAX = 4_096
/** With a batch, of the keys that were there before. */
const LEARNED_KEYS_MIN = 256
/** Store keys lie behind one byte, so that none can equal the checkpoint's, which is below them all. */
const CHECKPOINT_KEY = 0
const FIRST_KEY = ""
const CHECKPOINT_VERSION = 2
const CHECKSUM_BYTES = 4

/**
 * How LMDB writes a key straight to where it wants it. A RangeError makes it look for more room. Clearing a database writes
 * a key that is none.
 */
const KEY_ENCODER = {
  writeKey(key: unknown, target: Buffer, start: number): number {
    if (typeof key !== "string") {
      target[start] = 0
      return start + 1
    }
    const end = start + 1 + key.length
    if (end > target.length) throw new RangeError("the key does not fit")
    target[start] = 1
    target.write(key, start + 1, "latin1")
    return end
  },
  readKey: (source: Buffer, start: number, end: number): string => source.toString("latin1", start + 1, end),
}

const DATABASE_OPTIONS = { encoding: "binary", keyEncoder: KEY_ENCODER } as const

type StateDatabase = Database<Buffer, string | typeof CHECKPOINT_KEY>

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
  readonly #database: StateDatabase
  readonly #known = new KnownKeys((key) => this.keys(key))
  #isCorrupt = false
  /** Batches that LMDB has not committed. */
  #inFlight = 0

  constructor(name: string, database: StateDatabase) {
    this.#name = name
    this.#database = database
  }

  get(key: string): Uint8Array | undefined {
    if (this.#known.lacks(key)) return undefined
    const stored = this.#database.getBinary(key)
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

  *range(from = FIRST_KEY, to?: string, reverse = false): Iterable<readonly [string, Uint8Array]> {
    const last = to === undefined ? {} : { [reverse ? "start" : "end"]: to }
    const options = reverse
      ? { ...last, end: from, reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start: from, ...last }
    for (const { key, value } of this.#database.getRange(options)) yield [key as string, this.#checked(value)]
  }

  keys(from = FIRST_KEY, to?: string): Iterable<string> {
    return this.#database.getKeys({ start: from, ...(to !== undefined && { end: to }) }) as Iterable<string>
  }

  async write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    // What is in flight is not there to be read. Reading a key costs less than writing one: together less than twice as much.
    if (this.#inFlight === 0) this.#known.learn(LEARNED_KEYS_MIN + batch.length)
    let bytes = 0
    for (const { key, value } of batch) {
      if (key.length > KEY_LENGTH_BYTES_MAX) {
        throw new StateError(`store ${this.#name}: a key has ${key.length} bytes, ${KEY_LENGTH_BYTES_MAX} are the most`)
      }
      if (value === null) continue
      bytes += CHECKSUM_BYTES + value.length
      this.#known.add(key)
    }
    this.#inFlight++
    try {
      await this.#put(batch, bytes, checkpoint)
    } finally {
      this.#inFlight--
    }
  }

  async #put(batch: readonly EngineWrite[], bytes: number, checkpoint: Checkpoint): Promise<void> {
    // One piece for all, since LMDB asks for the address of each piece.
    const values = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    await this.#database.batch(() => {
      for (const { key, value } of batch) {
        if (value === null) void this.#database.remove(key)
        else {
          const end = seal(value, values, at)
          void this.#database.put(key, values.subarray(at, end))
          at = end
        }
      }
      if (!this.#isCorrupt) void this.#database.put(CHECKPOINT_KEY, sealed(encodeCheckpoint(checkpoint)))
    })
  }

  /** Another thread may have written since. */
  opened(): void {
    this.#known.forget()
  }

  checkpoint(): Checkpoint | undefined {
    return this.#decoded(this.#database.getBinary(CHECKPOINT_KEY))
  }

  #decoded(bytes: Buffer | undefined): Checkpoint | undefined {
    const checkpoint = bytes && unsealed(bytes)
    return checkpoint === undefined || this.#isCorrupt ? undefined : decodeCheckpoint(checkpoint)
  }

  /** A read transaction: pages that it sees are not used again before it ends, so that the file grows by what is written. */
  image(): EngineImage | undefined {
    const transaction = this.#database.useReadTransaction()
    const checkpoint = this.#decoded(this.#database.get(CHECKPOINT_KEY, { transaction }))
    if (checkpoint === undefined) {
      transaction.done()
      return undefined
    }
    return { checkpoint, entries: () => this.#entries(transaction), release: () => transaction.done() }
  }

  *#entries(transaction: Transaction): Iterable<readonly [string, Uint8Array]> {
    for (const { key, value } of this.#database.getRange({ start: FIRST_KEY, transaction })) {
      yield [key as string, this.#checked(value)]
    }
  }

  stats(): EngineStats {
    const { entryCount, pageSize, ...pages } = this.#database.getStats() as LmdbStats
    const count = pages.treeBranchPageCount + pages.treeLeafPageCount + pages.overflowPages
    // The checkpoint is an entry too.
    return { entries: Math.max(0, entryCount - 1), bytes: count * pageSize }
  }

  /** At once: a task that opens the store next must not find what is about to go. */
  empty(): void {
    this.#known.forget()
    this.#database.clearSync()
  }

  async clear(): Promise<void> {
    this.#known.forget()
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
    // Reads go to one snapshot until the event loop's next turn: the thread that had the store may have written since.
    this.#root.resetReadTxn()
    const engine = this.#open(engineName(store, partition))
    engine.opened()
    return engine
  }

  #open(name: string): LmdbEngine {
    let engine = this.#engines.get(name)
    if (engine === undefined) {
      engine = new LmdbEngine(name, this.#root.openDB(name, DATABASE_OPTIONS))
      this.#engines.set(name, engine)
    }
    return engine
  }

  list() {
    // LMDB ends names of databases with a zero byte.
    const names = [...this.#root.getKeys()].map((name) => Buffer.from(name).toString("utf8").replace(/\0$/, ""))
    return contentOf(names.map((name) => [name, this.#open(name)] as const))
  }

  async destroy(store: string, partition: number): Promise<void> {
    this.#open(engineName(store, partition)).empty()
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}

/** Answers where the next value may begin. */
function seal(value: Uint8Array, target: Buffer, at: number): number {
  target.writeUInt32BE(crc32c(value), at)
  target.set(value, at + CHECKSUM_BYTES)
  return at + CHECKSUM_BYTES + value.length
}

function sealed(value: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES)
  seal(value, out, 0)
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
