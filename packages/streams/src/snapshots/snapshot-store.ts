/**
 * Where snapshots of state are kept, outside the process: a directory that others share, an object store.
 *
 * Names are paths with slashes. `put` makes a whole object under its name or none; nothing more is asked of it, and what is
 * under a name is never changed. The content is the caller's again once `put` has settled.
 */
export interface SnapshotStore {
  put(name: string, content: Uint8Array): Promise<void>
  /** undefined when there is no such object. */
  get(name: string): Promise<Uint8Array | undefined>
  /** All names that begin so. */
  list(prefix: string): Promise<readonly string[]>
  /** Does nothing when there is no such object. */
  delete(name: string): Promise<void>
}
