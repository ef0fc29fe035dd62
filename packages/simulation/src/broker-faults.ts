/**
 * What befalls the broker and its disk: crashes between operations and inside them, orderly stops, power cuts that no peer
 * hears of, a disk that is slow, full, or changes a bit. Each leaves a broker that is up and a disk that is well, so that
 * faults do not add up to one that nobody could survive.
 *
 * A damaged batch takes a log offline, or keeps the broker from starting: that is as it should be, and so is that all is back
 * once the batch is mended and the broker has been started again. A full disk refuses what needs room; once there is room the same
 * broker goes on, unless it went down meanwhile.
 */
import { BitFlip } from "./bit-flip.ts"
import type { SeededRandom } from "./random.ts"
import { DATA_DIR, type World } from "./world.ts"

export type CrashKind = "kill" | "power-fsync"

const OUTAGE_MS_MAX = 500
/** A broker that dies at every start would never serve anyone. */
const BROKEN_STARTS_MAX = 3
const REVIVAL_MS_MAX = 240_000
const STOP_MS_MAX = 60_000
const DISK_FAULT_MS_MAX = 3_000
const SWAP_MS_MAX = 4_000
const USERS_CHANCE = 0.8
const FREE_BYTES_MAX = 3_000
const SLOWNESS_MAX = 150

export class BrokerFaults {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #kind: CrashKind
  bitFlips = 0
  fullDisks = 0
  stops = 0

  constructor(world: World, random: SeededRandom, kind: CrashKind) {
    this.#world = world
    this.#random = random
    this.#kind = kind
  }

  crash(): void {
    if (this.#kind === "kill") this.#world.broker!.kill()
    else this.#world.broker!.power()
  }

  /** In one of the next writes, or between operations if there are none. */
  async crashInWrite(): Promise<void> {
    const { disk } = this.#world.broker!
    disk.dieInWrite(1 + this.#random.int(30))
    await this.#untilDead(this.#random.int(1_000))
    this.crash()
  }

  /** At one of the next changes of any kind. */
  async crashInChange(): Promise<void> {
    const { disk } = this.#world.broker!
    disk.dieInChange(1 + this.#random.int(60))
    await this.#untilDead(this.#random.int(1_500))
    this.crash()
  }

  /** While compacted segments take the place of others, if any do so soon. */
  async crashInSwap(): Promise<void> {
    this.#world.broker!.disk.dieAfterRename(".swap", 1 + this.#random.int(6))
    await this.#untilDead(this.#random.int(SWAP_MS_MAX))
    this.crash()
  }

  /** Until a broker is up; its start may be struck as well. */
  async revive(): Promise<void> {
    const [world, random] = [this.#world, this.#random]
    for (let broken = 0; !world.isBroken; broken++) {
      await world.until(() => world.brokerReady || !world.broker!.alive, REVIVAL_MS_MAX)
      if (world.broker!.alive) return
      if (this.#kind === "power-fsync") world.broker!.power()
      await world.pass(random.int(OUTAGE_MS_MAX))
      const breaks = broken < BROKEN_STARTS_MAX && random.chance(0.25)
      world.startBroker(breaks ? 1 + random.int(40) : undefined)
    }
  }

  /** Its peers hold connections to nobody. */
  vanish(): void {
    this.#world.broker!.vanish()
    this.crash()
  }

  /** In order, as on SIGTERM. */
  async stop(): Promise<void> {
    this.stops++
    this.#world.stopBroker()
    await this.#untilDead(STOP_MS_MAX)
    if (this.#world.broker!.alive) this.#world.faults.push("the broker did not stop within a minute")
  }

  async slowDisk(): Promise<void> {
    const { device } = this.#world.machine("broker")
    device.slowness = 1 + this.#random.int(SLOWNESS_MAX)
    await this.#world.pass(this.#random.int(DISK_FAULT_MS_MAX))
    device.slowness = 1
  }

  /** There is room again in the end. */
  async fullDisk(): Promise<void> {
    const { device } = this.#world.machine("broker")
    this.fullDisks++
    await this.#whileFaulty(async () => {
      device.freeBytes = this.#random.int(FREE_BYTES_MAX)
      await this.#untilDead(this.#random.int(DISK_FAULT_MS_MAX))
      if (this.#random.chance(0.5)) await this.#goDown()
      device.freeBytes = Infinity
    })
  }

  /** The broker meets it when it reads what it found at its start. */
  async flipBit(): Promise<void> {
    await this.#goDown()
    const flip = this.#flip()
    if (flip === undefined) return
    this.bitFlips++
    await this.#whileFaulty(async () => {
      this.#world.startBroker()
      await this.#untilDead(this.#random.int(DISK_FAULT_MS_MAX))
      await this.#goDown()
      flip.restore()
    })
  }

  #flip(): BitFlip | undefined {
    const [disk, random] = [this.#world.brokerDisk, this.#random]
    // More often in what users wrote than in the logs of the broker's own.
    const isUsers = random.chance(USERS_CHANCE)
    const logs = disk
      .list(DATA_DIR)
      .filter((name) => isUsers !== name.startsWith("__"))
      .map((name) => `${DATA_DIR}/${name}`)
      .filter((directory) => disk.isDirectory(directory))
      .flatMap((directory) => disk.list(directory).map((file) => `${directory}/${file}`))
      .filter((path) => path.endsWith(".log"))
    const { device } = this.#world.machine("broker")
    return logs.length === 0 ? undefined : BitFlip.strike(device.file(random.pick(logs))!, random)
  }

  async #whileFaulty(run: () => Promise<void>): Promise<void> {
    this.#world.isDiskFaulty = true
    await run()
    this.#world.isDiskFaulty = false
  }

  async #goDown(): Promise<void> {
    if (!this.#world.broker!.alive) return
    if (this.#random.chance(0.3)) await this.stop()
    else this.crash()
  }

  #untilDead(ms: number): Promise<unknown> {
    const broker = this.#world.broker!
    return this.#world.until(() => !broker.alive, ms)
  }
}
