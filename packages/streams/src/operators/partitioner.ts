/** A partition that a user's partitioner chose; undefined leaves the choice to the key. Throws for one that is not there. */
export function checkedPartition(chosen: number | undefined, count: number): number | undefined {
  if (chosen === undefined || (Number.isSafeInteger(chosen) && chosen >= 0 && chosen < count)) return chosen
  throw new RangeError(`the partitioner chose partition ${chosen}, and there are ${count}`)
}
