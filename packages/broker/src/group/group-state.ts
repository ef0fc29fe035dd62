/** Everything one group shard keeps: its groups and their offsets. */
import type { UndoLog } from "../coordinator/undo.ts"
import { UndoMap } from "../coordinator/undo.ts"
import { ClassicGroup } from "./classic-group.ts"
import type { ConsumerGroup } from "./consumer/group.ts"
import type { NamePatterns } from "../coordinator/patterns.ts"
import type { GroupTopics } from "./consumer/topics.ts"
import type { ConfigOf, GroupCoordinatorConfig } from "./config.ts"
import { OffsetStore } from "./offset-store.ts"
import { StreamsGroup } from "./streams/group.ts"

export interface GroupShardOptions {
  readonly config: GroupCoordinatorConfig
  readonly configOf: ConfigOf
  readonly topics: GroupTopics
  readonly patterns: NamePatterns
}

export class GroupShardState {
  readonly undo: UndoLog
  readonly config: GroupCoordinatorConfig
  readonly configOf: ConfigOf
  /** Classic groups, and groups that are offsets alone. An id is here, among the consumer groups or the streams groups. */
  readonly groups: UndoMap<string, ClassicGroup>
  readonly consumerGroups: UndoMap<string, ConsumerGroup>
  readonly streamsGroups: UndoMap<string, StreamsGroup>
  readonly offsets: OffsetStore

  readonly topics: GroupTopics
  readonly patterns: NamePatterns

  constructor(undo: UndoLog, { config, configOf, topics, patterns }: GroupShardOptions) {
    this.undo = undo
    this.config = config
    this.configOf = configOf
    this.topics = topics
    this.patterns = patterns
    this.consumerGroups = new UndoMap(undo)
    this.streamsGroups = new UndoMap(undo)
    this.groups = new UndoMap(undo)
    this.offsets = new OffsetStore(undo)
  }

  getOrCreate(groupId: string): ClassicGroup {
    const existing = this.groups.get(groupId)
    if (existing !== undefined) return existing
    const group = new ClassicGroup(groupId, this.undo)
    this.groups.set(groupId, group)
    return group
  }

  getOrCreateStreams(groupId: string): StreamsGroup {
    const existing = this.streamsGroups.get(groupId)
    if (existing !== undefined) return existing
    // Its offsets were read before it: the group they were kept under is this one.
    if (this.groups.get(groupId)?.persisted === null) this.groups.delete(groupId)
    const group = new StreamsGroup(groupId, this.undo)
    this.streamsGroups.set(groupId, group)
    return group
  }
}
