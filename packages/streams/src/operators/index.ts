export { aggregate, count, reduce } from "./aggregate.ts"
export { branch } from "./branch.ts"
export { cogroup } from "./cogroup.ts"
export type { DerivedTableOptions } from "./derived-table.ts"
export { filterTable } from "./filter-table.ts"
export { filter } from "./filter.ts"
export { flatMapRecord } from "./flat-map-record.ts"
export { flatMap } from "./flat-map.ts"
export { forEach } from "./for-each.ts"
export { globalStore, type GlobalStoreOptions } from "./global-store.ts"
export { globalTable, type GlobalTableOptions } from "./global-table.ts"
export { type ForeignKeyOptions, joinForeignKey, leftJoinForeignKey } from "./join-foreign-key.ts"
export { joinGlobalTable, leftJoinGlobalTable } from "./join-global-table.ts"
export { joinStream, leftJoinStream, outerJoinStream, type JoinWindow } from "./join-stream.ts"
export { joinTable, type JoinTableOptions, leftJoinTable } from "./join-table.ts"
export { joinTables, leftJoinTables, outerJoinTables } from "./join-tables.ts"
export { keyBy } from "./key-by.ts"
export { mapRecord, type MappedRecord } from "./map-record.ts"
export { mapTable } from "./map-table.ts"
export { map } from "./map.ts"
export { merge } from "./merge.ts"
export { print, type PrintOptions } from "./print.ts"
export { reducePerCommit } from "./reduce-per-commit.ts"
export { repartition, type RepartitionOptions } from "./repartition-stream.ts"
export { type SourceOptions, stream } from "./source.ts"
export { suppress } from "./suppress.ts"
export type { TableHistory } from "./table-store.ts"
export { table, type TableOptions } from "./table.ts"
export { tap } from "./tap.ts"
export { toStream } from "./to-stream.ts"
export { toTable } from "./to-table.ts"
export { to, type ToChosenOptions, type ToOptions } from "./to.ts"
export { tombstones } from "./tombstones.ts"
export { window } from "./window.ts"
export { process, type ProcessOptions, processValues } from "./process.ts"
export type {
  ForwardedRecord,
  ProcessorContext,
  PunctuationType,
  ReadTables,
  RecordProcessor,
  StoreDefinitions,
  TableState,
  Timers,
  ValueProcessorContext,
} from "./processor-context.ts"
export { auditTime } from "./audit-time.ts"
export { bufferCount } from "./buffer-count.ts"
export { bufferTime } from "./buffer-time.ts"
export { debounceTime } from "./debounce-time.ts"
export { distinctUntilChanged } from "./distinct-until-changed.ts"
export { pairwise } from "./pairwise.ts"
export { scan } from "./scan.ts"
export { throttleTime } from "./throttle-time.ts"
