/**
 * Can a reader's schema read what was written with a writer's?
 *
 * The verdicts of Apache Avro's Java library (SchemaCompatibility), which every registry follows:
 *  - named types match on the short name, or when an alias of the reader is the writer's full name;
 *  - int -> long -> float -> double widen, string and bytes read each other;
 *  - a reader's enum must know all of the writer's symbols, unless it has a default;
 *  - a reader's field is found by its name, then by its aliases; one that the writer lacks needs a default;
 *  - a union reads what one of its branches reads in full; a writer's union needs every branch read;
 *  - logical types and all other attributes are not compared.
 * A pair of types met again inside itself is taken as compatible: recursion decides nothing by itself.
 */
import {
  type AvroEnum,
  type AvroField,
  type AvroNamedType,
  type AvroRecord,
  type AvroType,
  shortName,
} from "./schema.ts"

export type IncompatibilityType =
  | "NAME_MISMATCH"
  | "FIXED_SIZE_MISMATCH"
  | "MISSING_ENUM_SYMBOLS"
  | "READER_FIELD_MISSING_DEFAULT_VALUE"
  | "TYPE_MISMATCH"
  | "MISSING_UNION_BRANCH"

export interface Incompatibility {
  readonly type: IncompatibilityType
  /** Where in the reader's schema, as a JSON pointer: `/fields/2/type`. */
  readonly path: string
  /** What is missing or differs, in a few words. */
  readonly detail: string
  /** A sentence for people. */
  readonly description: string
}

/** Why the reader cannot read what the writer wrote; empty when it can. */
export function avroIncompatibilities(reader: AvroType, writer: AvroType): Incompatibility[] {
  const found: Incompatibility[] = []
  compare({ found, open: new Map() }, reader, writer, "")
  return found
}

export const canRead = (reader: AvroType, writer: AvroType): boolean =>
  avroIncompatibilities(reader, writer).length === 0

interface Comparison {
  readonly found: Incompatibility[]
  /** Pairs compared or being compared, by reader. */
  readonly open: Map<AvroType, Set<AvroType>>
}

function compare(comparison: Comparison, reader: AvroType, writer: AvroType, path: string): void {
  const readers = comparison.open.get(reader) ?? new Set()
  if (readers.has(writer)) return
  comparison.open.set(reader, readers.add(writer))
  if (writer.type === "union") compareWriterUnion(comparison, reader, writer.branches, path)
  else if (reader.type === "union") {
    if (!reader.branches.some((branch) => canReadWithin(comparison, branch, writer))) {
      missingBranch(comparison, writer, path)
    }
  } else if (reader.type === writer.type) compareSame(comparison, reader, writer, path)
  else if (!promotes(writer.type, reader.type)) {
    add(
      comparison,
      "TYPE_MISMATCH",
      path || "/",
      `reader type: ${kindOf(reader)} not compatible with writer type: ${kindOf(writer)}`,
      () =>
        `The type (path '${path || "/"}') of a field in the reader's schema, ${kindOf(reader)}, cannot hold the writer's ${kindOf(writer)}`,
    )
  }
}

function compareWriterUnion(
  comparison: Comparison,
  reader: AvroType,
  branches: readonly AvroType[],
  path: string,
): void {
  for (const [index, branch] of branches.entries()) {
    if (reader.type !== "union") compare(comparison, reader, branch, `${path}/${index}`)
    else if (!reader.branches.some((candidate) => canReadWithin(comparison, candidate, branch))) {
      missingBranch(comparison, branch, `${path}/${index}`)
    }
  }
}

/** The same question with the pairs that are open now taken as compatible, and none of its findings kept. */
function canReadWithin(comparison: Comparison, reader: AvroType, writer: AvroType): boolean {
  const open = new Map([...comparison.open].map(([type, writers]) => [type, new Set(writers)]))
  const found: Incompatibility[] = []
  compare({ found, open }, reader, writer, "")
  return found.length === 0
}

function compareSame(comparison: Comparison, reader: AvroType, writer: AvroType, path: string): void {
  switch (reader.type) {
    case "array":
      return compare(comparison, reader.items, (writer as typeof reader).items, `${path}/items`)
    case "map":
      return compare(comparison, reader.values, (writer as typeof reader).values, `${path}/values`)
    // What is inside is compared even under another name: one answer then lists all there is to mend.
    case "fixed": {
      compareNames(comparison, reader, writer as typeof reader, path)
      const { size } = writer as typeof reader
      if (reader.size === size) return
      return add(
        comparison,
        "FIXED_SIZE_MISMATCH",
        `${path}/size`,
        `expected: ${size}, found: ${reader.size}`,
        () => `The reader's fixed ${reader.name} has ${reader.size} bytes, the writer's ${size}`,
      )
    }
    case "enum":
      compareNames(comparison, reader, writer as typeof reader, path)
      return compareSymbols(comparison, reader, writer as typeof reader, path)
    case "record":
      compareNames(comparison, reader, writer as typeof reader, path)
      return compareFields(comparison, reader, writer as typeof reader, path)
  }
}

function compareNames(comparison: Comparison, reader: AvroNamedType, writer: AvroNamedType, path: string): void {
  if (namesMatch(reader, writer)) return
  add(
    comparison,
    "NAME_MISMATCH",
    `${path}/name`,
    `expected: ${writer.name}`,
    () => `The reader's ${reader.type} is called ${reader.name}, the writer's ${writer.name}`,
  )
}

export const namesMatch = (reader: AvroNamedType, writer: AvroNamedType): boolean =>
  shortName(reader.name) === shortName(writer.name) || reader.aliases.includes(writer.name)

function compareSymbols(comparison: Comparison, reader: AvroEnum, writer: AvroEnum, path: string): void {
  if (reader.default !== undefined) return
  const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
  if (missing.length === 0) return
  add(
    comparison,
    "MISSING_ENUM_SYMBOLS",
    `${path}/symbols`,
    `[${missing.join(", ")}]`,
    () => `The reader's enum ${reader.name} has no default and lacks symbols that the writer uses`,
  )
}

function compareFields(comparison: Comparison, reader: AvroRecord, writer: AvroRecord, path: string): void {
  for (const [index, field] of reader.fields.entries()) {
    const at = `${path}/fields/${index}`
    const written = writerField(field, writer)
    if (written) compare(comparison, field.type, written.type, `${at}/type`)
    else if (field.default === undefined && field.type.type === "enum" && field.type.default !== undefined) {
      // Java takes the enum's default to stand for the field's, then compares the enum with the whole record.
      compare(comparison, field.type, writer, `${at}/type`)
    } else if (field.default === undefined) {
      add(
        comparison,
        "READER_FIELD_MISSING_DEFAULT_VALUE",
        at,
        field.name,
        () =>
          `The field '${field.name}' at path '${at}' of the reader's schema has no default and the writer's schema lacks it`,
      )
    }
  }
}

/** The writer's field that a reader's field reads: of the same name, else of one of its aliases. */
export function writerField(field: AvroField, writer: AvroRecord): AvroField | undefined {
  return (
    writer.fields.find((candidate) => candidate.name === field.name) ??
    writer.fields.find((candidate) => field.aliases.includes(candidate.name))
  )
}

/** Primitive kinds that each kind reads beside itself. */
const READS: Partial<Record<AvroType["type"], readonly AvroType["type"][]>> = {
  long: ["int"],
  float: ["int", "long"],
  double: ["int", "long", "float"],
  bytes: ["string"],
  string: ["bytes"],
}

export const promotes = (writer: AvroType["type"], reader: AvroType["type"]): boolean =>
  READS[reader]?.includes(writer) ?? false

const kindOf = (type: AvroType): string => type.type.toUpperCase()

function missingBranch(comparison: Comparison, writer: AvroType, path: string): void {
  add(
    comparison,
    "MISSING_UNION_BRANCH",
    path || "/",
    `reader union lacking writer type: ${kindOf(writer)}`,
    () => `The reader's union (path '${path || "/"}') has no branch for the writer's ${kindOf(writer)}`,
  )
}

function add(
  comparison: Comparison,
  type: IncompatibilityType,
  path: string,
  detail: string,
  description: () => string,
): void {
  comparison.found.push({ type, path, detail, description: description() })
}
