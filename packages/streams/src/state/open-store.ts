import type { PhysicalStore } from "../topology/topology.ts"
import type { FlushLimits } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { KeyValueStore } from "./key-value-store.ts"
import type { Store } from "./store.ts"
import { SubscriptionStore } from "./subscription-store.ts"
import { TimerStore } from "./timer-store.ts"
import { VersionedStore } from "./versioned-store.ts"
import { WindowStore } from "./window-store.ts"

/** The store of a task over its engine. */
export function openStore(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits): Store {
  if (spec.kind === "timer") return new TimerStore(spec, engine, limits)
  if (spec.kind === "subscription") return new SubscriptionStore(spec, engine, limits)
  if (spec.kind === "versioned") return new VersionedStore(spec, engine, limits)
  return spec.kind === "window" ? new WindowStore(spec, engine, limits) : new KeyValueStore(spec, engine, limits)
}
