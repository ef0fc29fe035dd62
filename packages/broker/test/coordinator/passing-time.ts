/** Time that passes for what waits on promises too. */
import { VirtualClock } from "@millrace/host/virtual-clock"
import { NOW } from "../harness.ts"

/** At the time of the harness's records: a broker refuses those of a future far off. */
export const startClock = () => new VirtualClock(NOW)

/** Lets `ms` pass, firing what falls due, with all that it leads to. */
export async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const end = clock.now() + ms
  do await settled()
  while (clock.fireNext(end))
  clock.moveTo(end)
}

/** Lets promises that can go on do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
