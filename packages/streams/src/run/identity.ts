/**
 * Who this process is to the cluster, across restarts.
 *
 * The process id lives in the state directory, which a lock keeps to one process at a time. Transactional id and
 * `group.instance.id` derive from it: a restart after SIGKILL fences its own old transaction and takes its old place in
 * the group at once, instead of waiting for the session to expire.
 */
import { type Host, writeFileAtomically } from "@millrace/host"
import { StateError } from "../errors.ts"

export interface Identity {
  readonly processId: string
  /** Survives a restart. */
  readonly isPersistent: boolean
  release(): void
}

const PROCESS_ID_BYTES = 12
const PROCESS_ID = /^[A-Za-z0-9_-]{16}$/

export function newProcessId(host: Host): string {
  return Buffer.from(host.random.bytes(PROCESS_ID_BYTES)).toString("base64url")
}

/** Locks the directory of an application's state, and reads or writes its process id there. */
export function openIdentity(host: Host, directory: string | undefined): Identity {
  if (directory === undefined) return { processId: newProcessId(host), isPersistent: false, release: () => {} }
  const { disk } = host
  disk.makeDirectory(directory)
  const lock = disk.lock(`${directory}/.lock`)
  if (!lock.held) {
    throw new StateError(`state directory ${directory} is in use by ${lock.holder}: give each process its own`)
  }
  try {
    const path = `${directory}/process-id`
    const stored = disk.readFile(path)
    const known = stored && Buffer.from(stored).toString("utf8").trim()
    if (known !== undefined && !PROCESS_ID.test(known)) {
      throw new StateError(`${path} holds no process id: remove it to begin as a new process`)
    }
    const processId = known ?? newProcessId(host)
    if (known === undefined) writeFileAtomically(disk, path, Buffer.from(`${processId}\n`))
    return { processId, isPersistent: true, release: () => lock.release() }
  } catch (failure) {
    lock.release()
    throw failure
  }
}
