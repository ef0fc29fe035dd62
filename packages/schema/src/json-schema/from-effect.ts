/**
 * Effect schema -> JSON Schema and the codec that goes with it.
 *
 * Both come from Effect: the document describes what `toCodecJson` writes (dates as ISO text, bytes as base64). It is
 * turned into draft 7, which every registry reads, with the type's own schema at the top and its identifier as title.
 */
import * as EffectJsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { SerdeError, UnsupportedSchema } from "../errors.ts"
import { reasonOf } from "../explain.ts"

export interface EffectJson<T> {
  readonly schema: Readonly<Record<string, unknown>>
  readonly title: string | undefined
  toJson(value: T): unknown
  fromJson(json: unknown): T
}

export function fromEffect<T>(name: string, schema: Schema.Codec<T, any>): EffectJson<T> {
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownSync(codec)
  const decode = Schema.decodeUnknownSync(codec)
  const title = AST.resolveIdentifier(schema.ast)
  // A class takes plain objects too, as TypeScript does: they become instances before they are encoded.
  const make = schema.ast._tag === "Declaration" ? (schema as unknown as { make?: (value: any) => T }).make : undefined
  return {
    schema: draft7(schema, title),
    title,
    toJson(value) {
      try {
        return encode(make && isPlain(value) ? make.call(schema, value) : value)
      } catch (cause) {
        throw new SerdeError(name, oneLine(cause), cause)
      }
    },
    fromJson(json) {
      try {
        return decode(json)
      } catch (cause) {
        throw new SerdeError(name, oneLine(cause), cause)
      }
    },
  }
}

function draft7(schema: Schema.Codec<any, any>, title: string | undefined): Record<string, unknown> {
  let document: ReturnType<typeof EffectJsonSchema.toDocumentDraft07>
  try {
    document = EffectJsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(schema))
  } catch (cause) {
    throw new UnsupportedSchema("", `no JSON schema says this: ${reasonOf(cause)}`)
  }
  const { definitions } = document
  const key = typeof document.schema.$ref === "string" ? definitionKey(document.schema.$ref) : undefined
  const top = key === undefined ? document.schema : (definitions[key] ?? document.schema)
  const others = Object.fromEntries(
    Object.entries(definitions).filter(([name]) => name !== key || refersTo(definitions, name)),
  )
  return {
    $schema: EffectJsonSchema.META_SCHEMA_URI_DRAFT_07,
    ...(title === undefined ? {} : { title }),
    ...top,
    ...(Object.keys(others).length > 0 ? { definitions: others } : {}),
  }
}

/** The name in a JSON pointer to a definition. */
const definitionKey = (reference: string): string | undefined =>
  reference.startsWith("#/definitions/")
    ? reference.slice("#/definitions/".length).replaceAll("~1", "/").replaceAll("~0", "~")
    : undefined

/** Whether a definition is used by any, itself included. */
const refersTo = (definitions: object, name: string): boolean =>
  JSON.stringify(definitions).includes(`"#/definitions/${name.replaceAll("~", "~0").replaceAll("/", "~1")}"`)

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

const oneLine = (cause: unknown): string => reasonOf(cause).replaceAll(/\s*\n\s*/g, " ")
