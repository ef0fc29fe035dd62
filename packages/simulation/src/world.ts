/**
 * A simulated installation: one broker machine whose process dies and comes back, and as many others as a suite needs.
 */
import { Broker } from "@millrace/broker"
import { BufferPool, type Disk, DiskError } from "@millrace/host"
import { Census } from "./census.ts"
import { Machine, type SimulatedProcess } from "./machine.ts"
import { SimulatedNetwork } from "./network.ts"
import { SeededRandom } from "./random.ts"
import { Scheduler } from "./scheduler.ts"
import { ProcessDied } from "./disk.ts"

export const BROKER_ADDRESS = "broker:9092"
export const DATA_DIR = "/data"

/** Small internal topics and segments that roll soon, so that short runs have many of both. */
const BROKER_SETTINGS: Readonly<Record<string, string>> = {
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
  "group.consumer.session.timeout.ms": "3000",
  "group.consumer.min.session.timeout.ms": "1000",
  "group.consumer.heartbeat.interval.ms": "500",
  "group.consumer.min.heartbeat.interval.ms": "100",
  "offsets.topic.num.partitions": "2",
  "transaction.state.log.num.partitions": "2",
  "log.roll.ms": "1500",
  "log.index.interval.bytes": "256",
  "replica.high.watermark.checkpoint.interval.ms": "700",
  "log.initial.task.delay.ms": "1000",
  "producer.id.expiration.ms": "12000",
  "producer.id.expiration.check.interval.ms": "1000",
}
/** A broker forgets a producer that was silent for longer. */
export const PRODUCER_FORGOTTEN_MS = 14_000

export class World {
  readonly scheduler = new Scheduler()
  readonly random: SeededRandom
  readonly network: SimulatedNetwork
  readonly #machines = new Map<string, Machine>()
  readonly #settings: Readonly<Record<string, string>>
  /** Faults that nobody asked for: a broker that did not start, an error that nothing caught. */
  readonly faults: string[] = []
  readonly census = new Census()
  brokerStarts = 0
  /** The broker's disk is full or damaged: that logs go offline, and that it does not start, is as it should be. */
  isDiskFaulty = false
  #broker: SimulatedProcess | undefined
  #running: Broker | undefined
  #brokerReady = false

  /** The world that is being run: what nothing caught is its fault. */
  static #current: World | undefined

  constructor(seed: number, settings: Readonly<Record<string, string>> = {}) {
    this.random = new SeededRandom(seed)
    this.network = new SimulatedNetwork(this.scheduler, this.random.fork("network"))
    this.#settings = { ...BROKER_SETTINGS, ...settings }
    if (World.#current === undefined) World.#catchTheUncaught()
    World.#current = this
  }

  /** A promise of a dead process that nobody awaits any more is no fault; any other is. */
  static #catchTheUncaught(): void {
    for (const event of ["unhandledRejection", "uncaughtException"] as const) {
      process.on(event, (error: unknown) => {
        if (!(error instanceof ProcessDied)) World.#current?.faults.push(`nothing caught: ${describe(error)}`)
      })
    }
  }

  machine(name: string): Machine {
    let machine = this.#machines.get(name)
    if (machine === undefined) {
      machine = new Machine(name, this.scheduler, this.network, this.random)
      this.#machines.set(name, machine)
    }
    return machine
  }

  get broker(): SimulatedProcess | undefined {
    return this.#broker
  }

  get brokerReady(): boolean {
    return this.#brokerReady && this.#broker?.alive === true
  }

  /** The broker's disk as somebody sees it who is none of its processes. */
  get brokerDisk(): Disk {
    const { device } = this.machine("broker")
    return device.attach({ alive: true, name: "coroner", die: () => {} }, () => {})
  }

  /** Something happened that must not. */
  get isBroken(): boolean {
    return this.faults.length > 0
  }

  /** Lets time pass until something holds, at most so long; ends sooner when the world is broken. */
  until(until: () => boolean, ms: number): Promise<unknown> {
    return this.scheduler.run({ untilMs: this.scheduler.nowMs + ms, until: () => this.isBroken || until() })
  }

  pass(ms: number): Promise<unknown> {
    return this.until(() => false, ms)
  }

  get segmentRolls(): number {
    return Census.rolls(this.brokerDisk, DATA_DIR)
  }

  /** Starts the broker; what it threw becomes a fault unless it was killed meanwhile, as by `dieInChange`. */
  startBroker(dieInChange = Infinity): void {
    this.census.start(this.brokerDisk, DATA_DIR)
    const process = this.machine("broker").start()
    process.disk.dieInChange(dieInChange)
    this.#broker = process
    this.#running = undefined
    this.#brokerReady = false
    this.brokerStarts++
    Broker.start({
      host: process,
      dataDir: DATA_DIR,
      listen: { host: "broker", port: 9092 },
      config: this.#settings,
      buffers: new BufferPool({ poisons: true }),
      log: (line, { level, event }) => {
        if (event === "log-recovered") this.census.tornLogs++
        if (level === "error") this.#logged(process, line)
      },
      onDefect: (cause) => this.#halted(process, cause),
    }).then(
      (running) => {
        process.disk.dieInChange(Infinity)
        if (this.#broker === process) {
          this.#running = running
          this.#brokerReady = true
        }
        this.scheduler.note(`broker ready ${this.brokerStarts}`)
      },
      (error: unknown) => {
        if (!process.alive || error instanceof ProcessDied) return
        if (this.isDiskFaulty && isFaultOfDisk(error)) return process.kill()
        this.faults.push(`the broker did not start: ${describe(error)}`)
      },
    )
    if (!process.alive) this.census.brokenStarts++
  }

  /** Ends the broker as SIGTERM does: it answers those in progress and closes its files, then its process is gone. */
  stopBroker(): void {
    const [process, running] = [this.#broker!, this.#running]
    if (running === undefined) return process.kill()
    this.spawn(process, async () => {
      try {
        await running.close()
      } catch (error) {
        if (!this.isDiskFaulty || !isFaultOfDisk(error)) throw error
      }
      process.kill()
    })
  }

  /**
   * What a broker says when it cannot serve something or found a defect of its own, which it survives; one that dies says
   * it too, and nobody minds.
   */
  #logged(process: SimulatedProcess, line: string): void {
    if (process.alive && !this.isDiskFaulty) this.faults.push(line)
  }

  /** A defect after which the broker must not go on; a metadata log that cannot be written is one. */
  #halted(process: SimulatedProcess, cause: unknown): void {
    if (!process.alive || cause instanceof ProcessDied) return
    if (!this.isDiskFaulty || !isFaultOfDisk(cause)) this.faults.push(`the broker halted: ${describe(cause)}`)
    process.kill()
  }

  /** The run is over: takes the last figures. */
  end(): void {
    this.census.end(this.brokerDisk, DATA_DIR)
  }

  /** Runs a program; an error that it lets out while it lives is a fault. */
  spawn(process: SimulatedProcess, program: () => Promise<void>): void {
    program().catch((error: unknown) => {
      if (process.alive && !(error instanceof ProcessDied)) this.faults.push(`${process.name}: ${describe(error)}`)
    })
  }
}

function isFaultOfDisk(error: unknown): boolean {
  return error instanceof DiskError || (error instanceof Error && error.name === "CorruptLogError")
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
