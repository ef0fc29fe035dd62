/**
 * Whether a pipeline that was changed can go on with the state of what it was: what lies in topics and stores must be
 * read as it was written. Functions may change, and so may operators without state; what may not is listed, line by line.
 */
import type { describeJson } from "./describe.ts"

export type TopologyDescription = ReturnType<typeof describeJson>

type StoreDescription = TopologyDescription["globalTables"][number]

/** What keeps `after` from going on with the state of `before`; empty when nothing does. */
export function compareTopologies(before: TopologyDescription, after: TopologyDescription): string[] {
  return [
    ...(before.applicationId === after.applicationId
      ? []
      : [`the application was ${before.applicationId} and is ${after.applicationId}`]),
    ...compareStores(storesOf(before), storesOf(after)),
    ...compareRepartitions(before, after),
    ...compareSubtopologies(before, after),
  ]
}

const storesOf = ({ subtopologies, globalTables }: TopologyDescription): ReadonlyMap<string, StoreDescription> =>
  new Map([...subtopologies.flatMap(({ stores }) => stores), ...globalTables].map((store) => [store.name, store]))

function compareStores(
  before: ReadonlyMap<string, StoreDescription>,
  after: ReadonlyMap<string, StoreDescription>,
): string[] {
  const lines: string[] = []
  for (const [name, was] of before) {
    const is = after.get(name)
    if (is === undefined) {
      lines.push(`store "${name}" is gone: its state would be left behind`)
      continue
    }
    for (const what of ["kind", "key", "value", "changelog", "retentionMs"] as const) {
      if (was[what] !== is[what]) lines.push(`store "${name}": ${LABELS[what]} was ${was[what]} and is ${is[what]}`)
    }
  }
  for (const name of after.keys()) {
    if (!before.has(name)) lines.push(`store "${name}" is new: it would begin empty, in the middle of the input`)
  }
  return lines
}

const LABELS = {
  kind: "its kind",
  key: "the serde of its keys",
  value: "the serde of its values",
  changelog: "its changelog",
  retentionMs: "its retention in ms",
} as const

function compareRepartitions(before: TopologyDescription, after: TopologyDescription): string[] {
  const serdes = ({ plan, repartitions }: TopologyDescription) => {
    const sources = plan.nodes.filter(({ kind }) => kind === "repartition-source")
    return new Map(
      repartitions.map(({ topic, partitions }, index) => {
        const { key, value } = sources[index]!
        return [topic, `${key} -> ${value}${partitions === undefined ? "" : `, ${partitions} partitions`}`]
      }),
    )
  }
  const [was, is] = [serdes(before), serdes(after)]
  const gone = [...was.keys()].filter((topic) => !is.has(topic))
  const changed = [...was].filter(([topic, serde]) => is.has(topic) && is.get(topic) !== serde)
  return [
    ...gone.map((topic) => `repartition topic ${topic} is gone: what is in it would not be processed`),
    ...changed.map(([topic, serde]) => `repartition topic ${topic} was ${serde} and is ${is.get(topic)}`),
  ]
}

/** Task ids count sub-topologies: offsets' metadata and stores belong to tasks. */
function compareSubtopologies(before: TopologyDescription, after: TopologyDescription): string[] {
  const shape = ({ subtopologies }: TopologyDescription) =>
    subtopologies.map(({ sources }) => [...sources].sort().join(", "))
  const [was, is] = [shape(before), shape(after)]
  const lines = was.length === is.length ? [] : [`there were ${was.length} sub-topologies and there are ${is.length}`]
  for (const [id, topics] of was.entries()) {
    if (is[id] !== undefined && is[id] !== topics) lines.push(`sub-topology ${id} read ${topics} and reads ${is[id]}`)
  }
  return lines
}
