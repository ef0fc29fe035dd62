/**
 * The group configuration table: what a consumer group (KIP-848) or a streams group (KIP-1071) may have of its own.
 *
 * A value not set on the group comes from the broker setting that is its synonym. The broker's operator bounds what may be
 * set: a value out of bounds is refused, and one that new bounds leave outside counts as the nearest inside. DescribeConfigs
 * shows what was set, as Kafka's does.
 */
import { ConfigError, type ConfigTable, define, parse, type Values } from "@millrace/config"
import { acceptedConfig } from "./accepted.ts"
import type { BrokerConfig } from "./broker.ts"
import { coordinatorConfig } from "./coordinators.ts"

type Settings = Readonly<Record<string, string>>

export const groupConfig = define({
  "consumer.session.timeout.ms": ownOf(coordinatorConfig, "group.consumer.session.timeout.ms"),
  "consumer.heartbeat.interval.ms": ownOf(coordinatorConfig, "group.consumer.heartbeat.interval.ms"),
  "consumer.assignment.interval.ms": ownOf(acceptedConfig, "group.consumer.assignment.interval.ms"),
  "consumer.assignor.offload.enable": ownOf(acceptedConfig, "group.consumer.assignor.offload.enable"),
  "streams.session.timeout.ms": ownOf(coordinatorConfig, "group.streams.session.timeout.ms"),
  "streams.heartbeat.interval.ms": ownOf(coordinatorConfig, "group.streams.heartbeat.interval.ms"),
  "streams.num.standby.replicas": ownOf(coordinatorConfig, "group.streams.num.standby.replicas"),
  "streams.initial.rebalance.delay.ms": ownOf(coordinatorConfig, "group.streams.initial.rebalance.delay.ms"),
  "streams.assignment.interval.ms": ownOf(acceptedConfig, "group.streams.assignment.interval.ms"),
  "streams.assignor.offload.enable": ownOf(acceptedConfig, "group.streams.assignor.offload.enable"),
  "streams.task.offset.interval.ms": ownOf(coordinatorConfig, "group.streams.task.offset.interval.ms"),
  "streams.acceptable.recovery.lag": ownOf(coordinatorConfig, "group.streams.acceptable.recovery.lag"),
})

export type GroupConfig = Values<typeof groupConfig>

function ownOf<T extends ConfigTable, N extends keyof T & string>(broker: T, name: N) {
  return { ...broker[name]!, dynamic: "cluster-wide", synonyms: [{ name }] } as T[N]
}

type Numbers<C> = { [N in keyof C]: C[N] extends number ? N : never }[keyof C]

interface Bound {
  readonly name: Numbers<GroupConfig>
  readonly min?: Numbers<BrokerConfig>
  readonly max?: Numbers<BrokerConfig>
}

const bounds: readonly Bound[] = [
  {
    name: "consumer.session.timeout.ms",
    min: "group.consumer.min.session.timeout.ms",
    max: "group.consumer.max.session.timeout.ms",
  },
  {
    name: "consumer.heartbeat.interval.ms",
    min: "group.consumer.min.heartbeat.interval.ms",
    max: "group.consumer.max.heartbeat.interval.ms",
  },
  {
    name: "streams.session.timeout.ms",
    min: "group.streams.min.session.timeout.ms",
    max: "group.streams.max.session.timeout.ms",
  },
  {
    name: "streams.heartbeat.interval.ms",
    min: "group.streams.min.heartbeat.interval.ms",
    max: "group.streams.max.heartbeat.interval.ms",
  },
  { name: "streams.num.standby.replicas", max: "group.streams.max.standby.replicas" },
  { name: "streams.task.offset.interval.ms", min: "group.streams.min.task.offset.interval.ms" },
]

/** A member that reports no more often than its session lasts would be out before it could say a word. */
const longerThan = [
  ["consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"],
  ["streams.session.timeout.ms", "streams.heartbeat.interval.ms"],
] as const

/** How often a member reports where its interval would outlast its session: one report may get lost, or be late. */
const reportsPerSession = 3

/** The broker's bounds, at its start: whether there is something between them. */
export function checkBounds(broker: BrokerConfig): void {
  for (const { min, max } of bounds)
    if (min !== undefined && max !== undefined && broker[min] > broker[max])
      throw new ConfigError(min, `config ${min} is ${broker[min]}: it must be at most ${max}, which is ${broker[max]}`)
}

/** What the settings of a group amount to: `given` are the broker's in text form, `broker` the same as values. */
export function groupValues(own: Settings, given: Settings, broker: BrokerConfig): GroupConfig {
  const values: GroupConfig = parse(groupConfig, { ...given, ...own }, { unknown: "ignore" })
  const bounded = bounds
    .filter(({ name }) => Object.hasOwn(own, name))
    .map(({ name, min, max }) => {
      const atLeast = min === undefined ? values[name] : Math.max(broker[min], values[name])
      return [name, max === undefined ? atLeast : Math.min(broker[max], atLeast)]
    })
  const inBounds: GroupConfig = { ...values, ...Object.fromEntries(bounded) }
  // Each inside its bounds, they may contradict each other, where a bound is out of step with the other's.
  const reported = longerThan
    .filter(([longer, shorter]) => inBounds[longer] <= inBounds[shorter])
    .map(([longer, shorter]) => [shorter, Math.max(1, Math.floor(inBounds[longer] / reportsPerSession))])
  return { ...inBounds, ...Object.fromEntries(reported) }
}

/** What is wrong with the settings of a group, each of which can be read; undefined when nothing is. */
export function groupConfigFault(own: Settings, broker: BrokerConfig): string | undefined {
  for (const { name, min, max } of bounds) {
    if (!Object.hasOwn(own, name)) continue
    const value = Number(own[name])
    if (min !== undefined && value < broker[min])
      return `Config ${name} is ${value}: the broker's ${min} allows no less than ${broker[min]}.`
    if (max !== undefined && value > broker[max])
      return `Config ${name} is ${value}: the broker's ${max} allows no more than ${broker[max]}.`
  }
  for (const [longer, shorter] of longerThan) {
    if (!Object.hasOwn(own, longer) && !Object.hasOwn(own, shorter)) continue
    const [long, short] = [own[longer] ?? broker[`group.${longer}`], own[shorter] ?? broker[`group.${shorter}`]]
    if (Number(long) <= Number(short))
      return `Config ${longer} is ${long}: it must be more than ${shorter}, which is ${short}.`
  }
  return undefined
}
