/**
 * Order: values that one writer sent to one partition are in the log in the order in which it sent them. Values are
 * "writer-number", numbers ascending per writer.
 */
export function sentOrder(partition: string, log: readonly string[]): string[] {
  const last = new Map<string, number>()
  for (const value of log) {
    const at = value.lastIndexOf("-")
    const [writer, number] = [value.slice(0, at), Number(value.slice(at + 1))]
    const before = last.get(writer) ?? -1
    if (number < before) return [`${partition} has ${value} after ${writer}-${before}`]
    last.set(writer, number)
  }
  return []
}
