/**
 * A data directory: whose it is, which logs it holds, and what it knows of them between starts.
 *
 * One process at a time, by a lock that a dead process cannot hold. The clean-shutdown marker is written after every
 * log was flushed and removed, durably, before anything is appended, so that it can never vouch for a later crash.
 *
 * Checkpoints say less than the truth and never more: a recovery point is written after what lies below it is durable.
 */
import { type Disk, type DiskSpace, type HeldLock, isDiskFull, type Random, writeFileAtomically } from "@millrace/host"
import { type OffsetCheckpoint, readOffsets, writeOffsets } from "./checkpoint.ts"
import { checkContents, namesOfUse } from "./empty-directory.ts"
import { LogDirectoryError } from "./faults.ts"
import {
  CLEAN_SHUTDOWN_FILE,
  CLEANER_OFFSET_FILE,
  DELETED_DIRECTORY_SUFFIX,
  HIGH_WATERMARK_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  logDirectoryName,
  parentOf,
  RECOVERY_POINT_FILE,
  retiredDirectoryName,
  STRAY_DIRECTORY_SUFFIX,
  type TopicPartition,
  topicPartitionOf,
} from "./layout.ts"
import { Log } from "./log.ts"
import type { LogConfig } from "./log-config.ts"
import type { LogOptions } from "./log-options.ts"
import { OPEN_SEGMENTS_MAX, OpenSegments } from "./open-segments.ts"
import {
  type MetaProperties,
  readMetaProperties,
  readTopicId,
  syncTopicId,
  writeMetaProperties,
  writeTopicId,
} from "./properties.ts"
import { lostLog, type RecoveryReport } from "./recovery.ts"
import { SyncTurns } from "./sync-turns.ts"

export interface LogDirectoryOptions {
  /** Must match the directory's; a new directory without one gets a random id. */
  readonly clusterId?: string
  readonly nodeId: number
  readonly random: Random
  /** Most segments whose files and indexes are held open at once. */
  readonly openSegmentsMax?: number
  readonly onRecovered?: (report: RecoveryReport) => void
}

export class LogDirectory {
  readonly path: string
  readonly meta: MetaProperties
  /** It was empty, and has its identity since now. */
  readonly isNew: boolean
  /** The last process shut down cleanly. */
  readonly cleanShutdown: boolean
  readonly #disk: Disk
  readonly #lock: HeldLock
  readonly #options: LogDirectoryOptions
  readonly #openSegments: OpenSegments
  readonly #syncTurns = new SyncTurns()
  readonly #logs = new Map<string, Log>()
  /** undefined when a directory with data has lost its checkpoint. */
  readonly #recoveryPoints: OffsetCheckpoint | undefined
  readonly #logStartOffsets: OffsetCheckpoint
  readonly #highWatermarks: OffsetCheckpoint
  /** Up to where logs were compacted. */
  readonly #cleanerOffsets: OffsetCheckpoint
  /** Names of logs in here that may not be durable: new ones, and those that a killed process made. */
  #namesDirty: boolean
  #closed = false

  /** Of the device that the logs are on; undefined where that is not known. */
  space(): DiskSpace | undefined {
    return this.#disk.space(this.path)
  }

  static open(disk: Disk, path: string, options: LogDirectoryOptions): LogDirectory {
    makeDirectoryDurably(disk, path)
    checkContents(disk, path)
    const lock = disk.lock(`${path}/${LOCK_FILE}`)
    if (!lock.held) {
      throw new LogDirectoryError(path, `is in use by ${lock.holder}: stop it or choose another directory`)
    }
    try {
      return new LogDirectory(disk, path, options, lock)
    } catch (cause) {
      lock.release()
      throw cause
    }
  }

  private constructor(disk: Disk, path: string, options: LogDirectoryOptions, lock: HeldLock) {
    this.#disk = disk
    this.path = path
    this.#options = options
    this.#lock = lock
    this.#openSegments = new OpenSegments(options.openSegmentsMax ?? OPEN_SEGMENTS_MAX)
    const known = readMetaProperties(disk, path)
    this.isNew = known === undefined
    this.meta = known ?? this.#newMeta()
    if (options.clusterId !== undefined && options.clusterId !== this.meta.clusterId) {
      throw new LogDirectoryError(path, `belongs to cluster ${this.meta.clusterId}, not to ${options.clusterId}`)
    }
    if (options.nodeId !== this.meta.nodeId) {
      throw new LogDirectoryError(
        path,
        `belongs to node ${this.meta.nodeId}, not to node ${options.nodeId}: set node.id=${this.meta.nodeId}`,
      )
    }
    if (known === undefined) {
      writeOffsets(disk, `${path}/${RECOVERY_POINT_FILE}`, new Map())
      writeMetaProperties(disk, path, this.meta)
    }
    this.#recoveryPoints = readOffsets(disk, `${path}/${RECOVERY_POINT_FILE}`)
    this.#logStartOffsets = readOffsets(disk, `${path}/${LOG_START_OFFSET_FILE}`) ?? new Map()
    this.#highWatermarks = readOffsets(disk, `${path}/${HIGH_WATERMARK_FILE}`) ?? new Map()
    this.#cleanerOffsets = readOffsets(disk, `${path}/${CLEANER_OFFSET_FILE}`) ?? new Map()
    const marker = `${path}/${CLEAN_SHUTDOWN_FILE}`
    this.cleanShutdown = disk.exists(marker)
    this.#namesDirty = !this.cleanShutdown
    if (this.cleanShutdown) {
      disk.remove(marker)
      disk.syncDirectory(path)
    }
    for (const name of disk.list(path)) {
      if (name.endsWith(DELETED_DIRECTORY_SUFFIX)) disk.remove(`${path}/${name}`)
    }
  }

  #newMeta(): MetaProperties {
    const { clusterId, nodeId, random } = this.#options
    return { clusterId: clusterId ?? newUuid(random), nodeId, directoryId: newUuid(random) }
  }

  /** Throws when another process may have the directory as well: nothing may be written any more. */
  checkLock(): void {
    if (this.#lock.isIntact()) return
    const reason = `is not this process's alone any more: its file ${LOCK_FILE} was removed or replaced`
    throw new LogDirectoryError(this.path, `${reason}. What was written since then may be lost`)
  }

  get openLogs(): ReadonlyMap<string, Log> {
    return this.#logs
  }

  /** What the directory did not hold when it was made: logs, checkpoints, and what others put there. */
  namesOfUse(): string[] {
    return namesOfUse(this.#disk, this.path)
  }

  /** The logs on disk, with the topic id each was made for. */
  topicDirs(): (TopicPartition & { readonly topicId: string | undefined })[] {
    const found: (TopicPartition & { readonly topicId: string | undefined })[] = []
    for (const name of this.#disk.list(this.path)) {
      const topicPartition = topicPartitionOf(name)
      if (topicPartition === undefined || !this.#disk.isDirectory(`${this.path}/${name}`)) continue
      found.push({ ...topicPartition, topicId: readTopicId(this.#disk, `${this.path}/${name}`) })
    }
    return found
  }

  log(topic: string, partition: number): Log | undefined {
    return this.#logs.get(logDirectoryName(topic, partition))
  }

  /** There were flushed records of it, and there is no directory any more. */
  isLost(topic: string, partition: number): boolean {
    const name = logDirectoryName(topic, partition)
    return (this.#recoveryPoints?.get(name) ?? 0) > 0 && !this.#disk.exists(`${this.path}/${name}`)
  }

  /** Forgets the offsets of logs that nobody has any more; a crash in their deletion may have left them. */
  keepOffsets(isKept: (topic: string, partition: number) => boolean): void {
    const names = [...(this.#recoveryPoints?.keys() ?? [])].filter((name) => {
      const found = topicPartitionOf(name)
      return found === undefined || !isKept(found.topic, found.partition)
    })
    if (this.#forgetOffsets(names)) this.checkpoint()
  }

  /** Opens a log that is on disk, recovering it unless the last shutdown was clean. */
  openLog(topic: string, partition: number, config: LogConfig, now: number): Log {
    const name = logDirectoryName(topic, partition)
    const open = this.#logs.get(name)
    if (open !== undefined) return open
    const recoveryPoint = this.#recoveryPoints === undefined ? undefined : (this.#recoveryPoints.get(name) ?? 0)
    return this.#open(name, config, {
      now,
      cleanShutdown: this.cleanShutdown,
      recoveryPoint,
      logStartOffset: this.#logStartOffsets.get(name) ?? 0,
      wasCleaned: this.#cleanerOffsets.has(name),
      syncName: !this.cleanShutdown && !recoveryPoint ? this.#syncNames : undefined,
    })
  }

  #open(name: string, config: LogConfig, options: LogOptions): Log {
    const { onRecovered } = this.#options
    const log = Log.open(this.#disk, `${this.path}/${name}`, config, {
      ...options,
      openSegments: this.#openSegments,
      syncTurns: this.#syncTurns,
      onCheckpointNeeded: () => this.checkpoint(),
      ...(onRecovered === undefined ? {} : { onRecovered }),
    })
    this.#logs.set(name, log)
    return log
  }

  /** One sync covers all logs that were made before it. */
  #syncNames = (): void => {
    if (!this.#namesDirty) return
    this.#disk.syncDirectory(this.path)
    this.#namesDirty = false
  }

  /** Makes a new log, which its first flush makes durable, or opens the one that exists for the same topic id. */
  createLog(topic: string, partition: number, topicId: string, config: LogConfig, now: number): Log {
    const name = logDirectoryName(topic, partition)
    const directory = `${this.path}/${name}`
    if (this.#disk.exists(directory)) {
      const found = readTopicId(this.#disk, directory)
      if (found !== undefined && found !== topicId) {
        throw new LogDirectoryError(this.path, `holds ${name} of topic id ${found}, not of ${topicId}`)
      }
      if (found === undefined) {
        // Made by someone else, or just before a crash: its name may not be durable either.
        writeTopicId(this.#disk, directory, topicId)
        syncTopicId(this.#disk, directory)
        this.#disk.syncDirectory(this.path)
      }
      return this.openLog(topic, partition, config, now)
    }
    if (this.isLost(topic, partition)) throw lostLog(directory, this.#recoveryPoints!.get(name)!)
    this.#disk.makeDirectory(directory)
    this.#namesDirty = true
    writeTopicId(this.#disk, directory, topicId)
    this.#forgetOffsets([name])
    return this.#open(name, config, { now, cleanShutdown: false, recoveryPoint: 0, syncName: this.#syncNames })
  }

  /**
   * Deletes logs, open or not: renamed, so that after a crash each is either whole or gone. Answers what their files are to be
   * removed with, one log at a time; what is not removed goes at the next start.
   */
  deleteLogs(logs: readonly TopicPartition[]): (() => void)[] {
    return this.#retire(logs, DELETED_DIRECTORY_SUFFIX).map((dying) => () => this.#disk.remove(dying))
  }

  /**
   * Takes a log that no topic claims out of use and keeps its files, as Kafka does: what made it strange may be a damaged
   * file, and its records may have been acknowledged. Answers where they lie now.
   */
  putAside(topic: string, partition: number): string | undefined {
    return this.#retire([{ topic, partition }], STRAY_DIRECTORY_SUFFIX)[0]
  }

  /** Answers where the files of those that had any lie now. */
  #retire(logs: readonly TopicPartition[], suffix: string): string[] {
    const retired: string[] = []
    const hadOffsets = this.#forgetOffsets(logs.map(({ topic, partition }) => logDirectoryName(topic, partition)))
    for (const { topic, partition } of logs) {
      const name = logDirectoryName(topic, partition)
      const directory = `${this.path}/${name}`
      this.#logs.get(name)?.close(false)
      this.#logs.delete(name)
      if (!this.#disk.exists(directory)) continue
      const uniqueId = Buffer.from(this.#options.random.bytes(16)).toString("hex")
      const target = `${this.path}/${retiredDirectoryName(topic, partition, uniqueId, suffix)}`
      this.#disk.rename(directory, target)
      retired.push(target)
    }
    if (retired.length > 0) {
      this.#disk.syncDirectory(this.path)
      this.#namesDirty = false
    }
    if (retired.length > 0 || hadOffsets) ifRoom(() => this.checkpoint())
    return retired
  }

  /** Answers whether there were any. */
  #forgetOffsets(names: readonly string[]): boolean {
    let [hadOffsets, wasCleaned] = [false, false]
    for (const name of names) {
      for (const offsets of [this.#recoveryPoints, this.#logStartOffsets, this.#highWatermarks])
        hadOffsets = offsets?.delete(name) === true || hadOffsets
      wasCleaned = this.#cleanerOffsets.delete(name) || wasCleaned
    }
    if (wasCleaned) ifRoom(() => this.#writeCleanerOffsets())
    return hadOffsets
  }

  /** Up to where a log was compacted, exclusive; undefined when it never was. */
  cleanerOffset(topic: string, partition: number): number | undefined {
    return this.#cleanerOffsets.get(logDirectoryName(topic, partition))
  }

  /** Notes, durably, that a log is compacted up to an offset. */
  setCleanerOffset(topic: string, partition: number, offset: number): void {
    this.#cleanerOffsets.set(logDirectoryName(topic, partition), offset)
    this.#writeCleanerOffsets()
  }

  #writeCleanerOffsets(): void {
    writeOffsets(this.#disk, `${this.path}/${CLEANER_OFFSET_FILE}`, this.#cleanerOffsets)
  }

  /** The high watermark that was checkpointed for a log before this start, 0 when there is none. */
  highWatermark(topic: string, partition: number): number {
    return this.#highWatermarks.get(logDirectoryName(topic, partition)) ?? 0
  }

  /** Writes recovery points, log start offsets and, where given, high watermarks. Call it now and then, and at close. */
  checkpoint(highWatermarks: Iterable<TopicPartition & { readonly offset: number }> = []): void {
    for (const { topic, partition, offset } of highWatermarks) {
      this.#highWatermarks.set(logDirectoryName(topic, partition), offset)
    }
    const recoveryPoints: OffsetCheckpoint = new Map(this.#recoveryPoints)
    let isCut = false
    for (const [name, log] of this.#logs) {
      // What follows a cut is new and was not compacted.
      if ((this.#cleanerOffsets.get(name) ?? 0) > log.logEndOffset) {
        this.#cleanerOffsets.set(name, log.logEndOffset)
        isCut = true
      }
      recoveryPoints.set(name, log.recoveryPoint)
      if (log.logStartOffset > 0) this.#logStartOffsets.set(name, log.logStartOffset)
    }
    if (isCut) this.#writeCleanerOffsets()
    this.#recoveryPoints?.clear()
    for (const [name, offset] of recoveryPoints) this.#recoveryPoints?.set(name, offset)
    writeOffsets(this.#disk, `${this.path}/${RECOVERY_POINT_FILE}`, recoveryPoints)
    writeOffsets(this.#disk, `${this.path}/${LOG_START_OFFSET_FILE}`, this.#logStartOffsets)
    writeOffsets(this.#disk, `${this.path}/${HIGH_WATERMARK_FILE}`, this.#highWatermarks)
  }

  /** Makes all logs durable, several at a time: a clean `close` then has little to wait for. */
  async flushLater(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.flushLater()))
  }

  /**
   * `clean`: flushes every log, writes the checkpoints, then the marker. Otherwise only lets go of the files, as after
   * a fault that makes the data untrustworthy. When the disk refuses what a clean close writes, all is let go the same,
   * without the marker.
   */
  close(clean = true): void {
    if (this.#closed) return
    this.#closed = true
    try {
      for (const log of this.#logs.values()) log.close(clean)
      if (clean) {
        this.checkpoint()
        const content = new TextEncoder().encode(JSON.stringify({ version: 0, brokerEpoch: -1 }))
        writeFileAtomically(this.#disk, `${this.path}/${CLEAN_SHUTDOWN_FILE}`, content)
      }
    } finally {
      for (const log of this.#logs.values()) log.close(false)
      this.#lock.release()
    }
  }
}

/** A full disk must not keep logs from being deleted. What was to be written is by the next checkpoint. */
function ifRoom(write: () => void): void {
  try {
    write()
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause
  }
}

/** Makes a directory and what is missing above it; the names survive a power cut, or all below them would be lost. */
function makeDirectoryDurably(disk: Disk, path: string): void {
  const above = parentOf(path)
  if (disk.exists(path) || path === above || path === "") return
  makeDirectoryDurably(disk, above)
  disk.makeDirectory(path)
  disk.syncDirectory(above)
}

/** A random id in the form that Kafka prints; never one of those it reserves, nor one that looks like an option. */
function newUuid(random: Random): string {
  for (;;) {
    const bytes = random.bytes(16)
    const id = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url")
    if (!id.startsWith("-") && bytes.some((byte, index) => index < 15 && byte !== 0)) return id
  }
}
