import type { Host } from "../host.ts"
import { nodeClock } from "./clock.ts"
import { nodeDisk } from "./disk.ts"
import { nodeNet } from "./net.ts"
import { nodeRandom } from "./random.ts"

export { nodeClock, nodeDisk, nodeNet, nodeRandom }

/** The real machine. */
export const nodeHost: Host = { clock: nodeClock, random: nodeRandom, disk: nodeDisk, net: nodeNet }
