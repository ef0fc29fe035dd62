import type { Clock } from "./clock.ts"
import type { Disk } from "./disk.ts"
import type { Net } from "./net.ts"
import type { Random } from "./random.ts"

/** Everything a component needs from the outside. `@millrace/host/node` has the real one, the simulation its own. */
export interface Host {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly net: Net
}
