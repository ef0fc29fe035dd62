/**
 * Binds the serdes of a topology to the registry, once, before the first record.
 *
 * Serdes without a schema, and all of them where there is no registry, are used as they are.
 */
import { bindSerde, type Registry, type Serde } from "@millrace/schema"
import { lateDefinitionOf } from "../dsl/late-to.ts"
import { InterruptedRecord } from "../errors.ts"
import type { Topology } from "../topology/topology.ts"

/**
 * Where a topic is known only once a record goes there (a handler's dead letters, a name made from the record), its serdes
 * are bound then: the transaction is aborted, they are bound, and the record is processed again.
 */
export type SerdeLookup = <T>(serde: Serde<T>, topic: string, isKey: boolean) => Serde<T>

export async function bindSerdes(topology: Topology, registry: Registry | undefined): Promise<SerdeLookup> {
  const bound = new Map<string, Map<Serde<any>, Serde<any>>>()
  const bind = async (serde: Serde<any>, topic: string, isKey: boolean) => {
    const use = `${isKey ? "key" : "value"} ${topic}`
    const known = bound.get(use) ?? new Map<Serde<any>, Serde<any>>()
    bound.set(use, known)
    if (!known.has(serde)) known.set(serde, await bindSerde(serde, { registry, topic, isKey }))
  }
  for (const node of topology.nodes) {
    if (node.topic !== undefined && node.kind !== "table") {
      await bind(node.key, node.topic, true)
      await bind(node.value, node.topic, false)
    }
    const late = lateDefinitionOf(node.logical)
    if (late !== undefined) {
      await bind(late.key, late.name, true)
      await bind(late.value, late.name, false)
    }
    for (const store of node.stores) {
      await bind(store.key, store.changelog, true)
      await bind(store.value, store.changelog, false)
    }
  }
  return (serde, topic, isKey) => {
    const found = bound.get(`${isKey ? "key" : "value"} ${topic}`)?.get(serde)
    if (found !== undefined) return found
    if (serde.bind === undefined || registry === undefined) return serde
    const resolve = () => bind(serde, topic, isKey)
    throw new InterruptedRecord(
      Object.assign(new Error(`serde ${serde.name} is to be bound to "${topic}"`), { resolve }),
    )
  }
}
