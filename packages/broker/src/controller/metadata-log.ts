/**
 * `__cluster_metadata-0` on disk: the log, its snapshots and the quorum's state, for a quorum of one.
 *
 * Opening it takes the leadership of a new epoch, which a control record announces. Every append is forced to the
 * device before it counts: an acknowledged topic survives a power cut. A snapshot replaces the log below it.
 */
import { type Disk, DiskError, invariant, isDiskFull, writeFileAtomically } from "@millrace/host"
import { encode, METADATA_TOPIC_ID } from "@millrace/protocol"
import { batches } from "@millrace/protocol/record/batch"
import { ControlType, controlBatch } from "@millrace/protocol/record/control"
import { LeaderChangeMessage } from "@millrace/protocol/records/leader-change"
import {
  type AppendResult,
  CorruptLogError,
  type Log,
  type LogConfig,
  type LogDirectory,
  LogDirectoryError,
  someOf,
} from "@millrace/storage"
import { reasonOf } from "../server-log.ts"
import { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import { CLUSTER_METADATA_TOPIC } from "./topic-names.ts"
import { readQuorumState, writeQuorumState } from "./quorum-state.ts"
import {
  encodeSnapshot,
  isCompleteSnapshot,
  metadataBatch,
  parseSnapshotName,
  readMetadata,
  type SnapshotId,
  snapshotName,
  type Voter,
} from "./snapshot.ts"

export interface MetadataLogOptions {
  readonly disk: Disk
  readonly logDirectory: LogDirectory
  readonly nodeId: number
  readonly now: () => number
  readonly config: LogConfig
  /** metadata.log.max.record.bytes.between.snapshots */
  readonly snapshotBytes: number
}

const METADATA_DIRECTORY = `${CLUSTER_METADATA_TOPIC}-0`
const READ_BYTES = 1024 * 1024
/** The newest snapshot and the one before it are kept. */
const SNAPSHOTS_KEPT = 2

/** There was no room for records: none of them is there, and the log goes on. Any other fault leaves that unknown. */
export class MetadataLogFull extends DiskError {
  constructor(cause: DiskError) {
    super(cause.code, cause.path, cause.operation, cause)
  }
}

export class MetadataLog {
  readonly #options: MetadataLogOptions
  readonly #directory: string
  readonly #log: Log
  readonly #voters: Voter[]
  readonly epoch: number
  #bytesSinceSnapshot = 0
  #newestSnapshot: SnapshotId

  private constructor(options: MetadataLogOptions, log: Log, snapshot: SnapshotId, epoch: number) {
    this.#options = options
    this.#directory = directoryOf(options)
    this.#log = log
    this.#newestSnapshot = snapshot
    this.epoch = epoch
    this.#voters = votersOf(options)
  }

  /** Opens or formats the log, replays it into `image` and becomes its leader. */
  static open(options: MetadataLogOptions, image: MetadataImage): MetadataLog {
    const { disk, now, logDirectory } = options
    const directory = directoryOf(options)
    const snapshot = newestSnapshot(disk, directory) ?? format(options, directory)
    const log = logDirectory.createLog(CLUSTER_METADATA_TOPIC, 0, METADATA_TOPIC_ID, options.config, now())
    if (log.logEndOffset < snapshot.endOffset) {
      throw new CorruptLogError(
        directory,
        -1,
        `the metadata log ends at offset ${log.logEndOffset}, before its snapshot ${snapshotName(snapshot)}`,
      )
    }
    const file = `${directory}/${snapshotName(snapshot)}`
    readMetadata(disk.readFile(file)!, (record) => image.replay(record, snapshot.endOffset - 1))
    image.epoch = snapshot.epoch
    for (let offset = snapshot.endOffset; offset < log.logEndOffset;) {
      const read = log.read(offset, { maxBytes: READ_BYTES, minOneBatch: true, endOffset: log.logEndOffset })
      invariant(read !== "OFFSET_OUT_OF_RANGE", `the metadata log cannot be read at offset ${offset}`)
      for (const batch of batches(read.bytes)) offset = batch.nextOffset
      readMetadata(read.bytes, (record, at, recordEpoch) => {
        image.replay(record, at)
        image.epoch = recordEpoch
      })
    }
    const state = readQuorumState(disk, `${directory}/quorum-state`)
    const epoch = Math.max(image.epoch, log.latestEpoch, state?.leaderEpoch ?? 0) + 1
    writeQuorumState(disk, `${directory}/quorum-state`, { leaderId: options.nodeId, leaderEpoch: epoch })
    const opened = new MetadataLog(options, log, snapshot, epoch)
    opened.#announceLeader()
    image.epoch = epoch
    return opened
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  /** Appends records as one batch, all or none, and forces them to the device. Answers the offset of the first; throws MetadataLogFull. */
  append(records: readonly MetadataRecord[]): number {
    const batch = metadataBatch(records, 0, this.epoch, this.#options.now())
    return this.#append(batch, true)
  }

  /** Whether enough was written since the last snapshot for another. */
  get wantsSnapshot(): boolean {
    return this.#bytesSinceSnapshot >= this.#options.snapshotBytes
  }

  get hasChangesSinceSnapshot(): boolean {
    return this.#bytesSinceSnapshot > 0
  }

  /** Writes the image, which must stand at the log's end, and drops what it replaces. */
  snapshot(image: MetadataImage): void {
    const { disk, now } = this.#options
    const id = { endOffset: this.#log.logEndOffset, epoch: this.epoch }
    const content = Buffer.concat(encodeSnapshot(image, this.#voters, this.epoch, now()))
    writeFileAtomically(disk, `${this.#directory}/${snapshotName(id)}`, content)
    this.#newestSnapshot = id
    this.#bytesSinceSnapshot = 0
    const names = snapshotNames(disk, this.#directory)
    for (const name of names.slice(0, -SNAPSHOTS_KEPT)) disk.remove(`${this.#directory}/${name}`)
    const oldest = parseSnapshotName(names.at(-SNAPSHOTS_KEPT) ?? names[0]!)!
    if (oldest.endOffset > this.#log.logStartOffset) this.#log.deleteRecordsBefore(oldest.endOffset)
  }

  get newestSnapshot(): SnapshotId {
    return this.#newestSnapshot
  }

  #announceLeader(): void {
    const { nodeId, now } = this.#options
    const voter = { voterId: nodeId }
    // Version 0: Kafka's readers take the record for that whatever it says.
    const message = encode(LeaderChangeMessage, 0, {
      version: 0,
      leaderId: nodeId,
      voters: [voter],
      grantingVoters: [voter],
    })
    const batch = controlBatch({ partitionLeaderEpoch: this.epoch }, now(), [[ControlType.LEADER_CHANGE, message]])
    // Durable with the first records of the epoch, without which it means nothing.
    this.#append(batch, false)
  }

  /** What was appended is there, durable or not: a full disk is no refusal any more. */
  #flush(): void {
    try {
      this.#log.flush()
    } catch (cause) {
      throw new Error(`the metadata log could not be made durable: ${reasonOf(cause)}`, { cause })
    }
  }

  #written(batch: Uint8Array): AppendResult {
    try {
      return this.#log.append(batch, { origin: "coordinator", leaderEpoch: this.epoch, now: this.#options.now() })
    } catch (cause) {
      throw isDiskFull(cause) ? new MetadataLogFull(cause) : cause
    }
  }

  #append(batch: Uint8Array, flush: boolean): number {
    const result = this.#written(batch)
    invariant(result.ok, "the metadata log refused its own batch")
    if (flush) this.#flush()
    this.#bytesSinceSnapshot += batch.length
    return result.baseOffset
  }
}

function directoryOf({ logDirectory }: MetadataLogOptions): string {
  return `${logDirectory.path}/${METADATA_DIRECTORY}`
}

function votersOf({ nodeId, logDirectory }: MetadataLogOptions): Voter[] {
  return [{ voterId: nodeId, voterDirectoryId: logDirectory.meta.directoryId, endpoints: [] }]
}

/** A new cluster starts from a snapshot that names its voters, as Kafka's storage tool formats one. */
function format(options: MetadataLogOptions, directory: string): SnapshotId {
  checkNoCluster(options, directory)
  options.disk.makeDirectory(directory)
  const id = { endOffset: 0, epoch: 0 }
  const content = Buffer.concat(encodeSnapshot(new MetadataImage(), votersOf(options), 0, options.now()))
  writeFileAtomically(options.disk, `${directory}/${snapshotName(id)}`, content)
  return id
}

/**
 * Without metadata every log would be of no topic. The first snapshot is there before anything else is, so what a first start
 * leaves when it is killed is no reason to refuse.
 */
function checkNoCluster({ disk, logDirectory }: MetadataLogOptions, directory: string): void {
  const others = logDirectory.namesOfUse().filter((name) => name !== METADATA_DIRECTORY)
  const own = disk.list(directory).filter((name) => !name.endsWith(".tmp"))
  if (others.length === 0 && own.length === 0) return
  const what =
    own.length > 0
      ? `has no *.checkpoint in ${METADATA_DIRECTORY} (${someOf(own)})`
      : `has no ${METADATA_DIRECTORY} but other files (${someOf(others)})`
  const fix = `Restore ${METADATA_DIRECTORY} from a backup, or choose an empty directory for a new cluster`
  throw new LogDirectoryError(logDirectory.path, `${what}: without it nothing says which topics there are. ${fix}`)
}

function snapshotNames(disk: Disk, directory: string): string[] {
  return disk.list(directory).filter((name) => parseSnapshotName(name) !== undefined)
}

function newestSnapshot(disk: Disk, directory: string): SnapshotId | undefined {
  const names = snapshotNames(disk, directory).toReversed()
  for (const name of names) {
    if (isCompleteSnapshot(disk.readFile(`${directory}/${name}`)!)) return parseSnapshotName(name)
  }
  if (names.length > 0) throw new CorruptLogError(`${directory}/${names[0]}`, -1, "the metadata snapshot is not whole")
  return undefined
}
