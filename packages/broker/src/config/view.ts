/**
 * The settings in effect: what was given at the start, what the cluster's metadata adds for all brokers, for this one,
 * for a topic and for a group. Parsed values are kept until what they came from changes.
 */
import { type ConfigLayer, type ConfigRow, ConfigSource, type ConfigTable, describe, parse } from "@millrace/config"
import { ConfigResourceType, type MetadataImage } from "../controller/image.ts"
import { type BrokerConfig, brokerConfig } from "./broker.ts"
import { type GroupConfig, groupConfig, groupValues } from "./group.ts"
import { type TopicConfig, topicConfig } from "./topic.ts"

type Settings = Readonly<Record<string, string>>

const ALL_BROKERS = ""

export class ConfigView {
  readonly #image: MetadataImage
  readonly #given: Settings
  readonly #nodeId: string
  #broker: BrokerConfig
  #dynamic: readonly [Settings, Settings]
  readonly #topics = new OwnValues((own) => this.#parseTopic(own))
  readonly #groups = new OwnValues((own) => groupValues(own, this.#merged(), this.#broker))

  /** `given` has been checked against the broker's table. */
  constructor(image: MetadataImage, given: Settings, nodeId: number) {
    this.#image = image
    this.#given = given
    this.#nodeId = String(nodeId)
    this.#dynamic = this.#dynamicSettings()
    this.#broker = this.#parseBroker()
  }

  get broker(): BrokerConfig {
    this.#refresh()
    return this.#broker
  }

  topic(name: string): TopicConfig {
    this.#refresh()
    return this.#topics.get(name, this.#image.configs(ConfigResourceType.TOPIC, name))
  }

  /** Whether there is such a group or not: settings may be there first. */
  group(groupId: string): GroupConfig {
    this.#refresh()
    return this.#groups.get(groupId, this.#image.configs(ConfigResourceType.GROUP, groupId))
  }

  /** What a topic with these settings of its own would have. */
  topicWith(own: Settings): TopicConfig {
    return this.#parseTopic(own)
  }

  describeTopic(name: string, own = this.#image.configs(ConfigResourceType.TOPIC, name)): ConfigRow[] {
    // A setting that broker and topic call by the same name must not pass for the topic's own.
    return describe(topicConfig, this.#topicLayers(own))
  }

  describeGroup(groupId: string): ConfigRow[] {
    const settings = this.#image.configs(ConfigResourceType.GROUP, groupId)
    return describe(groupConfig, [{ source: ConfigSource.GROUP_CONFIG, settings }, ...this.#brokerLayers()])
  }

  /** Null: the defaults of all brokers. */
  describeBroker(allBrokers: boolean): ConfigRow[] {
    if (!allBrokers) return describe(brokerConfig, this.#brokerLayers())
    const settings = this.#image.configs(ConfigResourceType.BROKER, ALL_BROKERS)
    return describe(brokerConfig, [{ source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, settings }]).filter((row) =>
      Object.hasOwn(settings, row.name),
    )
  }

  /** One value of a topic or of this broker, in the text form that it is described in; null without one. */
  printed(resourceType: number, resourceName: string, name: string): string | null {
    const isTopic = resourceType === ConfigResourceType.TOPIC
    const table: ConfigTable = isTopic ? topicConfig : brokerConfig
    const entry = Object.hasOwn(table, name) ? table[name] : undefined
    if (entry === undefined) return null
    const layers = isTopic ? this.#topicLayers(this.#image.configs(resourceType, resourceName)) : this.#brokerLayers()
    return describe({ [name]: entry }, layers)[0]!.value
  }

  #topicLayers(settings: Settings): ConfigLayer[] {
    return [{ source: ConfigSource.TOPIC_CONFIG, settings }, ...this.#brokerLayers()]
  }

  #brokerLayers(): ConfigLayer[] {
    const [own, all] = this.#dynamicSettings()
    return [
      { source: ConfigSource.DYNAMIC_BROKER_CONFIG, settings: own },
      { source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, settings: all },
      { source: ConfigSource.STATIC_BROKER_CONFIG, settings: this.#given },
    ]
  }

  #dynamicSettings(): readonly [Settings, Settings] {
    return [
      this.#image.configs(ConfigResourceType.BROKER, this.#nodeId),
      this.#image.configs(ConfigResourceType.BROKER, ALL_BROKERS),
    ]
  }

  /** The image answers the same object until a setting changes, so comparing identities is enough. */
  #refresh(): void {
    const dynamic = this.#dynamicSettings()
    if (dynamic[0] === this.#dynamic[0] && dynamic[1] === this.#dynamic[1]) return
    this.#dynamic = dynamic
    this.#broker = this.#parseBroker()
    this.#topics.clear()
    this.#groups.clear()
  }

  #merged(): Record<string, string> {
    return { ...this.#given, ...this.#dynamic[1], ...this.#dynamic[0] }
  }

  #parseBroker(): BrokerConfig {
    return parse(brokerConfig, this.#merged(), { unknown: "ignore" })
  }

  #parseTopic(own: Settings): TopicConfig {
    return parse(topicConfig, { ...this.#merged(), ...own }, { unknown: "ignore" })
  }
}

/** What resources with settings of their own amount to, and what those without do. */
class OwnValues<Values> {
  readonly #parse: (own: Settings) => Values
  readonly #known = new Map<string, { readonly own: Settings; readonly values: Values }>()
  #others: Values | undefined

  constructor(parse: (own: Settings) => Values) {
    this.#parse = parse
  }

  get(name: string, own: Settings): Values {
    if (Object.keys(own).length === 0) return (this.#others ??= this.#parse(own))
    const known = this.#known.get(name)
    if (known?.own === own) return known.values
    const values = this.#parse(own)
    this.#known.set(name, { own, values })
    return values
  }

  clear(): void {
    this.#known.clear()
    this.#others = undefined
  }
}
