/**
 * The settings in effect: what was given at the start, what the cluster's metadata adds for all brokers, for this one
 * and for a topic. Parsed values are kept until what they came from changes.
 */
import { type ConfigLayer, type ConfigRow, ConfigSource, describe, parse } from "@millrace/config"
import { ConfigResourceType, type MetadataImage } from "../controller/image.ts"
import { type BrokerConfig, brokerConfig } from "./broker.ts"
import { type TopicConfig, topicConfig } from "./topic.ts"

type Settings = Readonly<Record<string, string>>

const ALL_BROKERS = ""

export class ConfigView {
  readonly #image: MetadataImage
  readonly #given: Settings
  readonly #nodeId: string
  #broker: BrokerConfig
  #dynamic: readonly [Settings, Settings]
  #topics = new Map<string, { readonly own: Settings; readonly values: TopicConfig }>()
  #topicDefaults: TopicConfig | undefined

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
    const own = this.#image.configs(ConfigResourceType.TOPIC, name)
    if (Object.keys(own).length === 0) return (this.#topicDefaults ??= this.#parseTopic(own))
    const known = this.#topics.get(name)
    if (known?.own === own) return known.values
    const values = this.#parseTopic(own)
    this.#topics.set(name, { own, values })
    return values
  }

  /** What a topic with these settings of its own would have. */
  topicWith(own: Settings): TopicConfig {
    return this.#parseTopic(own)
  }

  describeTopic(name: string, own = this.#image.configs(ConfigResourceType.TOPIC, name)): ConfigRow[] {
    // A setting that broker and topic call by the same name must not pass for the topic's own.
    return describe(topicConfig, [{ source: ConfigSource.TOPIC_CONFIG, settings: own }, ...this.#brokerLayers()])
  }

  /** Null: the defaults of all brokers. */
  describeBroker(allBrokers: boolean): ConfigRow[] {
    if (!allBrokers) return describe(brokerConfig, this.#brokerLayers())
    const settings = this.#image.configs(ConfigResourceType.BROKER, ALL_BROKERS)
    return describe(brokerConfig, [{ source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, settings }]).filter((row) =>
      Object.hasOwn(settings, row.name),
    )
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
    this.#topicDefaults = undefined
    this.#topics = new Map()
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
