/**
 * Says that a cluster is away, and that it is back, while pipelines run on it: their runtime waits without a word.
 */
import type { ClientSecurity } from "@millrace/client"
import { clientOf, isUnreachable, unanswered } from "./connection.ts"

const LOOK_MS = 5_000
/** How long faults are tried again before they are told. */
const FAULT_TIMEOUT_MS = 2_000

export function watchCluster(brokers: string, security: ClientSecurity): { end(): Promise<void> } {
  const client = clientOf(brokers, security, FAULT_TIMEOUT_MS)
  const admin = client.admin()
  let isAway = false
  let isEnded = false
  let timer: NodeJS.Timeout
  const look = async () => {
    try {
      await admin.describeCluster()
      if (isAway) console.error(`millrace: a broker answers again at ${brokers}`)
      isAway = false
    } catch (error) {
      if (!isAway && !isEnded && isUnreachable(error)) {
        isAway = true
        console.error(`millrace: ${unanswered(brokers, error)}; waiting`)
      }
    }
    if (!isEnded) arm()
  }
  const arm = () => {
    timer = setTimeout(() => void look(), LOOK_MS)
    // Nothing to go on living for.
    timer.unref()
  }
  arm()
  return {
    async end() {
      isEnded = true
      clearTimeout(timer)
      await client.close()
    },
  }
}
