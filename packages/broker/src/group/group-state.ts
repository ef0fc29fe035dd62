/** Everything one group shard keeps: its groups and their offsets. */
import type { UndoLog } from "../coordinator/undo.ts"
import { UndoMap } from "../coordinator/undo.ts"
import { ClassicGroup } from "./classic-group.ts"
import type { ConsumerGroup } from "./consumer/group.ts"
import type { TopicPatterns } from "./consumer/patterns.ts"
import type { GroupTopics } from "./consumer/topics.ts"
import type { GroupCoordinatorConfig } from "./config.ts"
import { OffsetStore } from "./offset-store.ts"

export class GroupShardState {
  readonly undo: UndoLog
  readonly config: GroupCoordinatorConfig
  /** Classic groups, and groups that are offsets alone. An id is here or among the consumer groups. */
  readonly groups: UndoMap<string, ClassicGroup>
  readonly consumerGroups: UndoMap<string, ConsumerGroup>
  readonly offsets: OffsetStore

  readonly topics: GroupTopics
  readonly patterns: TopicPatterns

  constructor(undo: UndoLog, config: GroupCoordinatorConfig, topics: GroupTopics, patterns: TopicPatterns) {
    this.undo = undo
    this.config = config
    this.topics = topics
    this.patterns = patterns
    this.consumerGroups = new UndoMap(undo)
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
}
