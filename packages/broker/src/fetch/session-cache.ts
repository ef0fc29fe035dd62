/**
 * The fetch sessions of the broker: so many as there are slots (`max.incremental.fetch.session.cache.slots`).
 *
 * When all are taken, a new session takes the slot of one that was not used for two minutes, or of an older one that
 * reads no more partitions than it does; else there is no session, and the client goes on with whole requests.
 */
import { invariant, type Random } from "@millrace/host"
import { type AnsweredPartition, FetchSession } from "./session.ts"

/** Idle for longer: may go. Younger: stays, whoever asks. */
const EVICTION_MS = 120_000
const ID_MAX = 2_147_483_647
export const NO_SESSION = 0

export interface FetchSessionCacheOptions {
  readonly random: Random
  readonly slots: () => number
}

export class FetchSessionCache {
  readonly #options: FetchSessionCacheOptions
  /** The one that was not used for the longest time first. */
  readonly #sessions = new Map<number, FetchSession>()

  constructor(options: FetchSessionCacheOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size
  }

  get(id: number): FetchSession | undefined {
    return this.#sessions.get(id)
  }

  delete(id: number): void {
    this.#sessions.delete(id)
  }

  used(session: FetchSession, now: number): void {
    invariant(this.#sessions.delete(session.id), `fetch session ${session.id} is used and not kept`)
    session.usedAt = now
    this.#sessions.set(session.id, session)
  }

  /** Answers the id of a session with these partitions, or NO_SESSION. */
  create(answered: readonly AnsweredPartition[], usesTopicIds: boolean, now: number): number {
    if (this.#sessions.size >= this.#options.slots() && !this.#evict(answered.length, now)) return NO_SESSION
    const session = new FetchSession(this.#newId(), usesTopicIds, now, answered)
    this.#sessions.set(session.id, session)
    return session.id
  }

  #evict(size: number, now: number): boolean {
    const [oldest] = this.#sessions.values()
    if (oldest === undefined) return false
    if (now - oldest.usedAt > EVICTION_MS) return this.#sessions.delete(oldest.id)
    let smallest: FetchSession | undefined
    for (const session of this.#sessions.values())
      if (now - session.createdAt > EVICTION_MS && session.size < (smallest?.size ?? Infinity)) smallest = session
    if (smallest === undefined || smallest.size > size) return false
    return this.#sessions.delete(smallest.id)
  }

  #newId(): number {
    for (;;) {
      const id = 1 + this.#options.random.int(ID_MAX)
      if (!this.#sessions.has(id)) return id
    }
  }
}
