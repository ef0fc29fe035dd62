/**
 * Exactly once: what read_committed sees of an output has, under each key, every event of that key once and no other, in
 * the order in which their input partition has them; and where results are numbered, the numbers are 1 to n in order.
 */
export interface Result {
  readonly key: string
  readonly id: string
  readonly n?: number
}

export function exactResults(
  topic: string,
  results: readonly Result[],
  expected: ReadonlyMap<string, readonly (readonly string[])[]>,
): string[] {
  const findings: string[] = []
  const byKey = new Map<string, Result[]>()
  for (const result of results) {
    const list = byKey.get(result.key)
    if (list) list.push(result)
    else byKey.set(result.key, [result])
  }
  for (const [key, lists] of expected) {
    const got = byKey.get(key) ?? []
    const where = `${topic}, key ${key}`
    const counts = new Map<string, number>()
    for (const { id } of got) counts.set(id, (counts.get(id) ?? 0) + 1)
    const wanted = new Set(lists.flat())
    for (const id of wanted) if (!counts.has(id)) findings.push(`${where}: event ${id} has no result`)
    for (const [id, count] of counts) {
      if (!wanted.has(id)) findings.push(`${where}: there is a result of event ${id}, which is none of its events`)
      else if (count > 1) findings.push(`${where}: event ${id} has ${count} results`)
    }
    for (const [index, { n, id }] of got.entries()) {
      if (n === undefined || n === index + 1) continue
      findings.push(`${where}: result ${index + 1}, of event ${id}, has the number ${n}`)
      break
    }
    for (const list of lists) {
      const places = new Map(list.map((id, place) => [id, place]))
      let last = -1
      for (const { id } of got) {
        const place = places.get(id)
        if (place === undefined) continue
        if (place < last) findings.push(`${where}: the result of event ${id} comes after that of ${list[last]}`)
        last = Math.max(last, place)
      }
    }
  }
  for (const key of byKey.keys()) if (!expected.has(key)) findings.push(`${topic} has results of a key unknown: ${key}`)
  return findings
}

/** A row that a stream was joined with never gives way to an older one, and is one that was written. */
export function forwardRows(
  joined: readonly { readonly key: string; readonly id: string; readonly version: number }[],
  rows: ReadonlyMap<string, number>,
): string[] {
  const last = new Map<string, number>()
  const findings: string[] = []
  for (const { key, id, version } of joined) {
    const before = last.get(key) ?? 1
    if (version < before) findings.push(`event ${id} met version ${version} of row ${key} after version ${before}`)
    if (version > (rows.get(key) ?? 0)) findings.push(`event ${id} met version ${version} of row ${key}, never written`)
    last.set(key, version)
  }
  return findings
}
