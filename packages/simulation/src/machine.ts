/**
 * A machine with a disk, and the processes that run on it one after the other. A process is a `Host`: everything it
 * does passes through its ports, and once it is dead they do nothing, so whatever code of it still unwinds is harmless.
 */
import type { Clock, Host } from "@millrace/host"
import { runUntilDeath, SimulatedDevice, type SimulatedDisk } from "./disk.ts"
import type { SimulatedNetwork } from "./network.ts"
import { SeededRandom } from "./random.ts"
import { EPOCH_MS, type Scheduler } from "./scheduler.ts"

export class SimulatedProcess implements Host {
  readonly name: string
  readonly clock: Clock
  readonly random: SeededRandom
  readonly disk: SimulatedDisk
  readonly net: Host["net"]
  readonly #machine: Machine
  #alive = true

  constructor(machine: Machine, name: string) {
    this.#machine = machine
    this.name = name
    const { scheduler } = machine
    this.random = machine.random.fork(name)
    this.clock = {
      now: () => EPOCH_MS + Math.floor(scheduler.nowMs),
      monotonic: () => scheduler.nowMs,
      setTimer: (delayMs, callback) => {
        const event = scheduler.schedule(delayMs, `timer ${name}`, () => {
          if (this.#alive) runUntilDeath(callback)
        })
        return { cancel: () => void (event.cancelled = true) }
      },
    }
    this.disk = machine.device.attach(this, (delayMs, run) => {
      scheduler.schedule(delayMs, `sync ${name}`, () => {
        if (this.#alive) runUntilDeath(run)
      })
    })
    this.net = machine.network.attach(this)
  }

  get alive(): boolean {
    return this.#alive
  }

  /** SIGKILL: completed writes stay in the page cache. */
  kill(): void {
    this.#end(`kill ${this.name}`, false)
  }

  /** The machine is off the net with it: its peers are not told. */
  vanish(): void {
    this.#end(`vanish ${this.name}`, true)
  }

  #end(label: string, silently: boolean): void {
    if (!this.#alive) return
    this.#alive = false
    const { scheduler, device, network } = this.#machine
    scheduler.note(label)
    device.kill(this)
    if (silently) network.vanish(this)
    else network.kill(this)
  }

  /** The disk armed this death: see `dieInWrite`. */
  die(): void {
    this.kill()
  }

  /** The machine loses power: unsynced writes are lost. */
  power(): void {
    this.kill()
    this.#machine.scheduler.note(`power ${this.name}`)
    this.#machine.device.power()
  }
}

export class Machine {
  readonly name: string
  readonly scheduler: Scheduler
  readonly network: SimulatedNetwork
  readonly random: SeededRandom
  readonly device: SimulatedDevice

  constructor(name: string, scheduler: Scheduler, network: SimulatedNetwork, random: SeededRandom) {
    this.name = name
    this.scheduler = scheduler
    this.network = network
    this.random = random.fork(name)
    this.device = new SimulatedDevice(this.random.fork("disk"))
  }

  /** A new process. Processes that share a disk must not run at the same time unless they lock it. */
  start(name = this.name): SimulatedProcess {
    return new SimulatedProcess(this, name)
  }
}
