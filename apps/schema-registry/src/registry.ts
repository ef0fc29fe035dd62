/**
 * A running registry without its HTTP face: state, store, and the order of writes.
 *
 * A read is answered from the state as it is. Writes go one after another: read on to the end of the log, decide, append,
 * wait until the records are read back, answer. So every decision sees all earlier ones, and an acknowledged write is in
 * the topic and in the state.
 */
import type { Decision, Registry as Core } from "./core/decision.ts"
import { Refusal, RefusalCode } from "./core/refusal.ts"
import { RegistryState } from "./core/state.ts"
import type { RegistryConfig } from "./config.ts"
import { type RegistryStore, StoreError } from "./store/store.ts"

export class Registry {
  readonly #store: RegistryStore
  readonly #core: Core
  #writes: Promise<unknown> = Promise.resolve()

  private constructor(store: RegistryStore, core: Core) {
    this.#store = store
    this.#core = core
  }

  static async open(store: RegistryStore, config: RegistryConfig): Promise<Registry> {
    const state = new RegistryState()
    try {
      await store.open((record) => state.replay(record))
    } catch (cause) {
      await store.close()
      throw cause
    }
    return new Registry(store, {
      state,
      defaults: {
        level: config["schema.compatibility.level"],
        modesMutable: config["mode.mutability"],
        validateDefaults: config["avro.validate.defaults"],
        schemaBytesMax: config["schema.bytes.max"],
      },
    })
  }

  get state(): RegistryState {
    return this.#core.state
  }

  get clusterId(): string {
    return this.#store.clusterId
  }

  read<T>(decide: (core: Core) => Decision<T>): T {
    return decide(this.#core).answer
  }

  write<T>(decide: (core: Core) => Decision<T>): Promise<T> {
    const turn = this.#writes.then(async () => {
      try {
        await this.#store.catchUp()
        const { records, answer } = decide(this.#core)
        if (records.length > 0) await this.#store.append(records)
        return answer
      } catch (cause) {
        if (!(cause instanceof StoreError)) throw cause
        throw new Refusal(cause.isTimeout ? RefusalCode.STORE_TIMEOUT : RefusalCode.STORE_ERROR, cause.message)
      }
    })
    this.#writes = turn.catch(() => undefined)
    return turn
  }

  /** After the writes under way. */
  async close(): Promise<void> {
    await this.#writes
    await this.#store.close()
  }
}
