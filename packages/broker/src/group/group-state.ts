/** Everything one group shard keeps: its groups and their offsets. */
import type { UndoLog } from "../coordinator/undo.ts"
import { UndoMap } from "../coordinator/undo.ts"
import { ClassicGroup } from "./classic-group.ts"
import type { GroupCoordinatorConfig } from "./config.ts"
import { OffsetStore } from "./offset-store.ts"

export class GroupShardState {
  readonly undo: UndoLog
  readonly config: GroupCoordinatorConfig
  readonly groups: UndoMap<string, ClassicGroup>
  readonly offsets: OffsetStore

  constructor(undo: UndoLog, config: GroupCoordinatorConfig) {
    this.undo = undo
    this.config = config
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
