/**
 * The `quorum-state` file of the metadata directory: who leads which epoch, as Kafka writes it. Written and synced
 * before the first record of an epoch, so that no epoch ever has two leaders.
 */
import { type Disk, writeFileAtomically } from "@millrace/host"
import { ZERO_UUID } from "@millrace/protocol"

export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
}

const DATA_VERSION = 1

export function readQuorumState(disk: Disk, path: string): QuorumState | undefined {
  const content = disk.readFile(path)
  if (content === undefined) return undefined
  const state = JSON.parse(new TextDecoder().decode(content)) as Partial<QuorumState>
  if (!Number.isInteger(state.leaderEpoch) || !Number.isInteger(state.leaderId)) {
    throw new SyntaxError(`${path} names no leader and epoch`)
  }
  return { leaderId: state.leaderId!, leaderEpoch: state.leaderEpoch! }
}

export function writeQuorumState(disk: Disk, path: string, { leaderId, leaderEpoch }: QuorumState): void {
  const state = { leaderId, leaderEpoch, votedId: -1, votedDirectoryId: ZERO_UUID, data_version: DATA_VERSION }
  writeFileAtomically(disk, path, new TextEncoder().encode(JSON.stringify(state)))
}
