/** Version ranges as Kafka writes them: "3", "3-7", "3+", "none". */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

const OPEN_END = 0x7fff

export function versionRange(text: string): VersionRange {
  if (text === "none") return { min: OPEN_END, max: -1 }
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) throw new TypeError(`"${text}" is no version range, write 3, 3-7, 3+ or none`)
  const min = Number(match[1])
  if (match[2] !== undefined) return { min, max: OPEN_END }
  return { min, max: match[3] === undefined ? min : Number(match[3]) }
}

export function includes(text: string, version: number): boolean {
  const { min, max } = versionRange(text)
  return version >= min && version <= max
}
