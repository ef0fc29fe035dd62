/**
 * What threads answered to one query, as one answer: of each partition what says most of it.
 *
 * Rows are read here, by this thread's serdes. A schema that it has not met is fetched; where that fails, or a row cannot be
 * read, that partition fails alone, as it does in one thread.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { mergePositions, type Position } from "../query/position.ts"
import type { FailureReason, PartitionResult, QueryResult } from "../query/query.ts"
import type { StoreInfo } from "../query/stores.ts"
import { type PackedResult, unpackResult } from "./rows.ts"

type PackedPartition = PackedResult[number][1]

/** What one thread says that lacks a partition, or has a copy of it, is outweighed by what another says of it. */
const WEIGHT: Readonly<Partial<Record<FailureReason, number>>> = { NOT_PRESENT: 0, NOT_ACTIVE: 1 }
function weightOf(result: PartitionResult<unknown>): number {
  if (!result.ok) return WEIGHT[result.reason] ?? 2
  return result.lag === undefined ? 4 : 3
}

export async function joinAnswers(answers: readonly PackedResult[], info: StoreInfo): Promise<QueryResult<any>> {
  const best = new Map<number, PackedPartition>()
  for (const [partition, result] of answers.flat()) {
    const before = best.get(partition)
    if (before === undefined || weightOf(result) > weightOf(before)) best.set(partition, result)
  }
  const read = [...best].map(async ([partition, result]) => [partition, await unpacked(result, info)] as const)
  const partitions = new Map(await Promise.all(read))
  let position: Position = {}
  for (const result of partitions.values()) if (result.ok) position = mergePositions(position, result.position)
  return { partitions, position }
}

async function unpacked(result: PackedPartition, info: StoreInfo): Promise<PartitionResult<any>> {
  for (;;) {
    try {
      return unpackResult(result, info)
    } catch (failure) {
      const isFetched = failure instanceof UnknownSchemaId && (await fetched(failure))
      const message = failure instanceof Error ? failure.message : String(failure)
      if (!isFetched) return { ok: false, reason: "STORE_EXCEPTION", message }
    }
  }
}

const fetched = (schema: UnknownSchemaId): Promise<boolean> =>
  schema.resolve().then(
    () => true,
    () => false,
  )
