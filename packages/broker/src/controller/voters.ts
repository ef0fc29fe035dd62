/**
 * Changes of who votes in the metadata quorum (KIP-853). Its only voter is this node, so that every change is refused; how
 * says what a client got wrong before.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"

export interface VoterChange {
  /** Null: whichever cluster is asked. */
  readonly clusterId: string | null
  readonly ownClusterId: string
  readonly mayAlter: boolean
  readonly voterId: number
  readonly voterDirectoryId: string
  /** Where a voter that is to be added listens. */
  readonly listeners?: readonly { readonly name: string }[]
}

/** What listeners of controllers are called where nothing else is said. */
const CONTROLLER_LISTENER = "CONTROLLER"

export function voterChangeRefusal(change: VoterChange) {
  const { clusterId, ownClusterId, mayAlter, voterId, voterDirectoryId, listeners } = change
  if (!mayAlter) return refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, "Cluster authorization failed.")
  if (clusterId !== null && clusterId !== ownClusterId)
    return refused(ErrorCode.INCONSISTENT_CLUSTER_ID, `This is cluster ${ownClusterId}, not ${clusterId}.`)
  if (voterId < 0 || voterDirectoryId === ZERO_UUID)
    return refused(ErrorCode.INVALID_REQUEST, "A voter is a node's id and a directory's.")
  if (listeners && !listeners.some(({ name }) => name === CONTROLLER_LISTENER))
    return refused(ErrorCode.INVALID_REQUEST, `The voter has no endpoint for the listener ${CONTROLLER_LISTENER}.`)
  return refused(ErrorCode.UNSUPPORTED_VERSION, "The voters of this cluster cannot be changed: it has one node.")
}

const refused = (errorCode: ErrorCode, errorMessage: string) => ({ errorCode, errorMessage })
