/**
 * The composition root: turns settings and a host into a running broker, and closes it in the opposite order.
 *
 *   data directory (locked) -> metadata log -> image -> partitions -> coordinators -> listeners -> registration
 *
 * Nothing here waits for anything but the listeners. Failures to start are errors with one clear line: ConfigError,
 * LogDirectoryError (locked, another node's, not empty and no cluster's), CorruptLogError, NetError (port in use), DiskError.
 */
import { parse } from "@millrace/config"
import { type Address, BufferPool, type Clock, type Host, type Net, sleep } from "@millrace/host"
import { uuidFromBytes } from "@millrace/protocol"
import { LogDirectory } from "@millrace/storage"
import { allApis } from "./api/all.ts"
import { dispatcher } from "./api/dispatch.ts"
import type { Services } from "./api/handler.ts"
import { LogCleaner } from "./background/cleaner.ts"
import { watchLock } from "./background/lock-watch.ts"
import { startMaintenance } from "./background/maintenance.ts"
import { Schedule } from "./background/schedule.ts"
import { tellWithoutEffect } from "./config/accepted.ts"
import { type BrokerConfig, brokerConfig } from "./config/broker.ts"
import { checkBounds } from "./config/group.ts"
import { logConfigOf } from "./config/log-config.ts"
import { ConfigView } from "./config/view.ts"
import { Controller } from "./controller/controller.ts"
import { featureLevel, TRANSACTION_VERSION } from "./controller/features.ts"
import { MetadataImage } from "./controller/image.ts"
import { MetadataLog, MetadataLogFull } from "./controller/metadata-log.ts"
import { removeExpiredTokens } from "./controller/delegation-tokens.ts"
import { allocateProducerIds } from "./controller/producer-ids.ts"
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from "./controller/topic-names.ts"
import { FetchSessionCache } from "./fetch/session-cache.ts"
import { GroupCoordinatorService } from "./group/service.ts"
import { ImageTopics } from "./image-topics.ts"
import { InternalTopics } from "./internal-topics.ts"
import { BrokerCounters } from "./metrics/counters.ts"
import { type BrokerReport, reportBroker } from "./metrics/report.ts"
import { connectionLimits, limitsOfListeners } from "./network/connection-limits.ts"
import { ConnectionQuotas } from "./network/connection-quotas.ts"
import { resolveAdvertised, resolveListeners } from "./network/listeners.ts"
import { Server } from "./network/server.ts"
import { PartitionCoordinatorLog } from "./partition/coordinator-log.ts"
import { BrokerQuotas } from "./quota/broker-quotas.ts"
import { register } from "./registration.ts"
import { ReplicaManager } from "./replica-manager.ts"
import { AclAuthorizer } from "./security/acl-authorizer.ts"
import { allowAll, type Authorizer } from "./security/authorizer.ts"
import { DelegationTokens } from "./security/delegation-tokens.ts"
import { Listeners } from "./security/listeners.ts"
import { Refusals } from "./security/refusals.ts"
import { superUsersOf } from "./security/super-users.ts"
import { commonSettings } from "./security/listener-security.ts"
import type { RequestTracing } from "./tracing/tracing.ts"
import { TransactionCoordinatorService } from "./transaction/service.ts"
import { reasonOf, type ServerLog } from "./server-log.ts"

export interface BrokerOptions {
  readonly host: Host
  /** Takes the place of the host's network, such as the in-memory one. */
  readonly net?: Net
  readonly dataDir: string
  /** Where to listen unless the `listeners` config says otherwise. */
  readonly listen: Address
  readonly config?: Readonly<Record<string, string>>
  /** Takes the place of the `node.id` config. */
  readonly nodeId?: number
  readonly authorizer?: Authorizer
  /** Memory for requests and answers. Default: a pool of its own. */
  readonly buffers?: BufferPool
  /** A span for each request: see `findRequestTracing`. */
  readonly tracing?: RequestTracing | undefined
  readonly log?: ServerLog
  /** A defect after which the broker must not go on; rethrown in a turn of its own when left out. */
  readonly onDefect?: (cause: unknown) => void
}

/** Addresses that mean all of the machine's and lead a client nowhere. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", ""])

export class Broker {
  /** Where the first listener is bound. */
  readonly address: Address
  readonly clusterId: string
  readonly nodeId: number
  readonly #replicas: ReplicaManager
  readonly #report: () => Promise<BrokerReport>
  readonly #close: () => Promise<void>
  #closing: Promise<void> | undefined

  private constructor(
    { address, clusterId, nodeId }: Pick<Broker, "address" | "clusterId" | "nodeId">,
    replicas: ReplicaManager,
    report: () => Promise<BrokerReport>,
    close: () => Promise<void>,
  ) {
    this.address = address
    this.clusterId = clusterId
    this.nodeId = nodeId
    this.#replicas = replicas
    this.#report = report
    this.#close = close
  }

  static async start(options: BrokerOptions): Promise<Broker> {
    const { host, dataDir, listen, config: given = {} } = options
    const log: ServerLog = options.log ?? (() => {})
    const onDefect =
      options.onDefect ??
      ((cause: unknown) =>
        void host.clock.setTimer(0, () => {
          throw cause
        }))
    const all = options.nodeId === undefined ? given : { ...given, "node.id": String(options.nodeId) }
    const settings = commonSettings(all)
    const config = parse(brokerConfig, settings)
    checkBounds(config)
    const nodeId = config["node.id"]
    tellWithoutEffect(settings, { dataDir, nodeId }, log)
    const specs = resolveListeners(config, listen)
    const newUuid = () => uuidFromBytes(host.random.bytes(16))
    const image = new MetadataImage()
    const secret = config["delegation.token.secret.key"]
    const tokens = secret ? new DelegationTokens({ secret, image, random: host.random, clock: host.clock }) : undefined
    // Whose certificates cannot be read: before there is a directory.
    const listeners = new Listeners(specs, all, {
      disk: host.disk,
      random: host.random,
      clock: host.clock,
      fetchText,
      scramCredential: (user, mechanism) => image.scramCredential(user, mechanism),
      tokenCredential: (tokenId, mechanism) => tokens?.credential(tokenId, mechanism),
    })

    const logDirectory = LogDirectory.open(host.disk, dataDir, {
      nodeId,
      random: host.random,
      onRecovered: ({ path, position, bytesRemoved, endOffset, reason }) => {
        const what = `cut ${bytesRemoved} bytes from byte ${position} on, the log ends at offset ${endOffset}`
        const event = {
          level: "warn",
          event: "log-recovered",
          path,
          position,
          bytesRemoved,
          endOffset,
          reason,
        } as const
        log(`${path}: ${what}: ${reason}`, event)
      },
    })
    const stopping: (() => void | Promise<void>)[] = []
    const stop = async () => {
      for (const step of stopping.toReversed()) await step()
    }
    try {
      const { clusterId, directoryId } = logDirectory.meta
      if (logDirectory.isNew) {
        const event = { level: "info", event: "cluster-made", clusterId, directory: dataDir } as const
        log(`made a new cluster ${clusterId} in ${dataDir}`, event)
      }
      const { cleanShutdown } = logDirectory
      const metadataLog = openMetadata(options, logDirectory, config, image)
      const controller = new Controller(image, metadataLog)
      const counters = new BrokerCounters()
      const refusals = new Refusals(host.clock, log, counters)
      stopping.push(() => refusals.close())
      const startedAtMs = host.clock.monotonic()
      const configs = new ConfigView(image, settings, nodeId)
      const replicas = new ReplicaManager({ brokerId: nodeId, clock: host.clock, logDirectory, configs, image, log })
      stopping.push(() => replicas.close())
      replicas.load(cleanShutdown)
      controller.onRecords((records) => replicas.onRecords(records, image))

      const coordinatorLog = (topic: string) =>
        new PartitionCoordinatorLog({
          topic,
          image,
          partition: (name, index) => replicas.partition(name, index),
          maxBatchBytes: () => configs.topic(topic)["max.message.bytes"],
        })
      const fault = (topic: string) => (partition: number, cause: unknown) =>
        log(`coordinator of ${topic}-${partition} cannot load: ${reasonOf(cause)}`, {
          level: "error",
          event: "coordinator-not-loaded",
          topic,
          partition,
          reason: reasonOf(cause),
        })
      // The broker goes on, unlike after `onDefect`: what was decided halfway was taken back.
      const defect = (topic: string) => (partition: number, cause: unknown) =>
        log(
          `coordinator of ${topic}-${partition} took back a decision: ${(cause instanceof Error && cause.stack) || cause}`,
          { level: "error", event: "coordinator-decision-undone", topic, partition, reason: reasonOf(cause) },
        )
      const groups = new GroupCoordinatorService({
        log: coordinatorLog(CONSUMER_OFFSETS_TOPIC),
        clock: host.clock,
        random: host.random,
        config,
        configOf: (groupId) => configs.group(groupId),
        topics: new ImageTopics(image, controller),
        fault: fault(CONSUMER_OFFSETS_TOPIC),
        defect: defect(CONSUMER_OFFSETS_TOPIC),
      })
      const transactions = new TransactionCoordinatorService({
        log: coordinatorLog(TRANSACTION_STATE_TOPIC),
        clock: host.clock,
        config,
        markers: replicas,
        transactionVersion: () => featureLevel(image, TRANSACTION_VERSION),
        producerIds: { allocate: async () => controller.commit(allocateProducerIds(image, nodeId)) },
        groupPartition: (groupId: string) => groups.partitionFor(groupId),
        fault: fault(TRANSACTION_STATE_TOPIC),
        defect: defect(TRANSACTION_STATE_TOPIC),
      })
      const authorizer = options.authorizer ?? authorizerOf(config, image)
      const buffers = options.buffers ?? new BufferPool()
      const services: Services = {
        nodeId,
        clusterId,
        clock: host.clock,
        random: host.random,
        buffers,
        configs,
        get config() {
          return configs.broker
        },
        controller,
        image,
        replicas,
        fetchSessions: new FetchSessionCache({
          random: host.random,
          slots: () => configs.broker["max.incremental.fetch.session.cache.slots"],
        }),
        counters,
        refusals,
        tokens,
        quotas: new BrokerQuotas({
          clock: host.clock,
          quotas: image.quotas,
          windows: quotaWindows(config),
          mutationWindows: {
            samples: config["controller.quota.window.num"],
            windowMs: config["controller.quota.window.size.seconds"] * 1_000,
          },
        }),
        internalTopics: new InternalTopics({ controller, image, config: () => configs.broker, newUuid }),
        groups,
        transactions,
        newUuid,
        onDefect,
        endpoint(broker, { listener, connection }) {
          const endpoint = broker.endpoints.find(({ name }) => name === listener) ?? broker.endpoints[0]
          // Bound to all addresses and not told which one to advertise: the one that this client reached us at works.
          return endpoint && WILDCARDS.has(endpoint.host) ? { ...endpoint, host: connection.local.host } : endpoint
        },
      }
      const listenerLimits = limitsOfListeners(specs, all)
      const server = new Server({
        net: options.net ?? host.net,
        clock: host.clock,
        limits: {
          requestBytesMax: config["socket.request.max.bytes"],
          queuedRequestsMax: config["queued.max.requests"],
          queuedRequestBytesMax: limit(config["queued.max.request.bytes"]),
          queuedResponseBytesMax: limit(config["queued.max.response.bytes"]),
        },
        idleMsMax: config["connections.max.idle.ms"],
        quotas: new ConnectionQuotas({
          limits: () => connectionLimits(configs.broker),
          listenerLimits: (listener) => listenerLimits.get(listener)!,
          ipRate: (ip) => image.quotas.connectionRate(ip),
          windows: quotaWindows(config),
        }),
        counters,
        refusals,
        buffers,
        security: (listener) => listeners.security(listener),
        log,
        dispatch: dispatcher({
          registry: allApis(),
          services,
          authorizer,
          tracing: options.tracing,
          onDefect,
          onUnanswerable: (api, cause) => {
            const line =
              cause instanceof MetadataLogFull
                ? `a request of ${api} could not be carried out: ${cause.message}`
                : `a request of ${api} took what no message can hold, which is a defect: ${cause.stack}`
            log(line, { level: "error", event: "request-unanswerable", api, reason: cause.message })
          },
        }),
      })
      const bound = await server.listen(specs)
      if (!(options.net ?? host.net).isPrivate)
        for (const warning of listeners.warnings(bound, authorizer !== allowAll))
          log(warning, { level: "warn", event: "listener-unguarded" })
      if (authorizer === allowAll && config["super.users"] !== "")
        log("super.users is set, but everybody may do everything: see authorizer.class.name", {
          ...{ level: "warn", event: "rules-not-in-use" },
        })
      const warnOfExpiry = () => {
        for (const { listener, warning } of listeners.expiryWarnings(host.clock.now()))
          log(warning, { level: "warn", event: "certificate-expiry", listener })
      }
      warnOfExpiry()
      stopping.push(() => {
        const drained = server.close(config["shutdown.drain.timeout.ms"])
        // Nothing new comes in; who waits for others or for data is answered now rather than cut off at the end.
        transactions.close()
        groups.close()
        replicas.interruptReaders()
        return drained
      })
      const advertised = resolveAdvertised(config, bound)
      register(controller, advertised, {
        nodeId,
        config,
        cleanShutdown,
        newUuid,
        directoryId,
      })
      replicas.connect({ groups, transactions })

      const schedule = new Schedule(host.clock, (task, cause) => {
        const reason = reasonOf(cause)
        log(`${task} failed: ${reason}`, { level: "error", event: "task-failed", task, reason })
      })
      startMaintenance({ clock: host.clock, configs, replicas, controller, schedule, log })
      watchLock({ logDirectory, schedule, onDefect })
      schedule.start({
        name: "certificates",
        delayMs: CERTIFICATE_CHECK_MS,
        intervalMs: () => CERTIFICATE_CHECK_MS,
        run: () => {
          const { renewed, failed } = listeners.reload()
          for (const listener of renewed) {
            server.refreshTls(listener)
            const event = { level: "info", event: "certificate-reloaded", listener } as const
            log(`listener ${listener} shows its new certificate to new connections`, event)
          }
          for (const { listener, reason } of failed)
            log(`listener ${listener} keeps the certificate it has: ${reason}`, {
              ...{ level: "error", event: "certificate-not-reloaded", listener, reason },
            })
          warnOfExpiry()
        },
      })
      schedule.start({
        name: "delegation token expiry",
        delayMs: config["delegation.token.expiry.check.interval.ms"],
        intervalMs: () => configs.broker["delegation.token.expiry.check.interval.ms"],
        run: () => controller.commit(removeExpiredTokens(image, host.clock.now())),
      })
      stopping.push(() => schedule.close())
      const cleaner = new LogCleaner({
        clock: host.clock,
        random: host.random,
        configs,
        replicas,
        logDirectory,
        log,
        onDefect,
      })
      cleaner.start()
      stopping.push(() => cleaner.close())
      const certificates = () => listeners.expiries()
      const connections = () => server.connectionCount
      const report = () => reportBroker({ services, counters, connections, certificates, startedAtMs })
      return new Broker({ address: bound[0]!.address, clusterId, nodeId }, replicas, report, async () => {
        // After a failed write or sync nobody may take the files at their word: the next start recovers.
        const isSound = replicas.offlineCount === 0
        await stop()
        if (isSound) await settled(logDirectory, host.clock, config["shutdown.drain.timeout.ms"])
        logDirectory.close(isSound)
      })
    } catch (cause) {
      await stop()
      // Not a clean stop: what was found must be found again.
      logDirectory.close(false)
      throw cause
    }
  }

  /** Partitions whose log cannot be used any more. */
  get offlinePartitions(): number {
    return this.#replicas.offlineCount
  }

  /** The figures of this instant: metrics/table.ts says what they mean. */
  metrics(): Promise<BrokerReport> {
    return this.#report()
  }

  /** Stops taking requests, answers those in progress, and closes all files so that the next start need not recover. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Many logs are flushed faster together than one after the other by `close`, which does what is left, and reports what fails.
 * A device that does not answer is not waited for.
 */
async function settled(logDirectory: LogDirectory, clock: Clock, timeoutMs: number): Promise<void> {
  const over = new AbortController()
  const flushed = logDirectory.flushLater().finally(() => over.abort())
  await Promise.race([flushed, sleep(clock, timeoutMs, over.signal)]).catch(() => {})
}

/** How long a new certificate may lie in its file before clients see it. */
const CERTIFICATE_CHECK_MS = 10_000
/** How long an issuer may take to tell its keys. */
const FETCH_TIMEOUT_MS = 10_000

function authorizerOf(config: BrokerConfig, image: MetadataImage): Authorizer {
  if (config["authorizer.class.name"] === "") return allowAll
  return new AclAuthorizer({
    acls: image.acls,
    superUsers: superUsersOf(config["super.users"]),
    allowsWithoutAcl: config["allow.everyone.if.no.acl.found"],
  })
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
  return answer.text()
}

const quotaWindows = (config: BrokerConfig) => ({
  samples: config["quota.window.num"],
  windowMs: config["quota.window.size.seconds"] * 1_000,
})

/** Negative: no limit. */
const limit = (bytes: number) => (bytes < 0 ? Infinity : bytes)

function openMetadata(
  { host }: BrokerOptions,
  logDirectory: LogDirectory,
  config: BrokerConfig,
  image: MetadataImage,
): MetadataLog {
  const topic = new ConfigView(image, {}, config["node.id"]).topicWith({
    "segment.bytes": String(config["metadata.log.segment.bytes"]),
    "segment.ms": String(config["metadata.log.segment.ms"]),
    "max.message.bytes": String(METADATA_BATCH_BYTES_MAX),
  })
  return MetadataLog.open(
    {
      disk: host.disk,
      logDirectory,
      nodeId: config["node.id"],
      now: () => host.clock.now(),
      config: logConfigOf(topic, config),
      snapshotBytes: config["metadata.log.max.record.bytes.between.snapshots"],
    },
    image,
  )
}

/** Largest batch of metadata records; all records of one command are one batch. */
const METADATA_BATCH_BYTES_MAX = 64 * 1024 * 1024
