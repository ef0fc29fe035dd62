/** Reads OpenTelemetry's metrics in protobuf by the wire format alone: one resource, one scope, a data point a metric. */
/** Of a message: the contents of its fields, by number. */
function fields(bytes: Buffer): Map<number, (Buffer | number)[]> {
  const found = new Map<number, (Buffer | number)[]>()
  let at = 0
  const varint = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const [field, kind] = [Math.floor(tag / 8), tag % 8]
    const length = kind === 1 ? 8 : kind === 2 ? varint() : 0
    const value = kind === 0 ? varint() : bytes.subarray(at, (at += length))
    found.set(field, [...(found.get(field) ?? []), value])
  }
  return found
}

const inside = (bytes: Buffer, ...path: number[]): Buffer =>
  path.reduce((one, field) => fields(one).get(field)![0] as Buffer, bytes)

const attributes = (list: readonly (Buffer | number)[] = []) =>
  Object.fromEntries(list.map((one) => [String(inside(one as Buffer, 1)), String(inside(one as Buffer, 2, 1))]))

export function readMetrics(bytes: Uint8Array) {
  const resource = inside(Buffer.from(bytes), 1)
  const metrics = fields(inside(resource, 2)).get(2) ?? []
  return {
    resource: attributes(fields(inside(resource, 1)).get(1)),
    metrics: metrics.map((metric) => {
      const of = fields(metric as Buffer)
      const data = (of.get(7) ?? of.get(5))![0] as Buffer
      const point = fields(inside(data, 1))
      return {
        name: String(of.get(1)![0]),
        kind: of.has(7) ? `sum ${String(fields(data).get(2)![0])} ${String(fields(data).get(3)![0])}` : "gauge",
        value: (point.get(4)![0] as Buffer).readDoubleLE(),
        startedAt: (point.get(2)?.[0] as Buffer | undefined)?.readBigUInt64LE(),
        at: (point.get(3)![0] as Buffer).readBigUInt64LE(),
        attributes: attributes(point.get(7)),
      }
    }),
  }
}
