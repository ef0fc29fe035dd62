/**
 * All that a registry knows, as a function of the records of its topic.
 *
 * `replay` is the only way it changes, for what others wrote and for what this process wrote and read back; so two
 * registries that read the same topic agree, and a topic after compaction makes the same state.
 *
 * Invariants: a subject with no versions, deleted ones included, is not there; every version is counted under its id and,
 * by its content, among the ids of its context.
 */
import { contextOf, DEFAULT_CONTEXT } from "./subject.ts"
import type { Mode } from "./levels.ts"
import type { ConfigValue, RegistryRecord, SchemaReference, SchemaValue } from "../record/record.ts"

/** What makes two schemas the same. */
export type SchemaContent = Pick<SchemaValue, "schemaType" | "schema" | "references" | "metadata" | "ruleSet">

export class RegistryState {
  /** Versions by subject, in ascending order of version. */
  readonly #subjects = new Map<string, Map<number, SchemaValue>>()
  readonly #contexts = new Map<string, Context>()
  readonly #configs = new Map<string | null, ConfigValue>()
  readonly #modes = new Map<string | null, Mode>()
  /** Who refers to a version: by `subject version`. */
  readonly #referrers = new Map<string, Set<SchemaValue>>()

  replay(record: RegistryRecord): void {
    switch (record.keytype) {
      case "SCHEMA":
        this.#remove(record.subject, record.version)
        if (record.value) this.#add(record.value)
        break
      case "DELETE_SUBJECT":
        if (record.value) this.#softDelete(record.subject, record.value.version)
        break
      case "CLEAR_SUBJECT":
        if (record.value) {
          for (const schema of this.versions(record.subject))
            if (schema.deleted) this.#remove(schema.subject, schema.version)
        }
        break
      case "CONFIG":
        put(this.#configs, record.subject, record.value)
        break
      case "MODE":
        put(this.#modes, record.subject, record.value?.mode)
        break
      case "CONTEXT":
      case "NOOP":
    }
  }

  /** All subjects, those with deleted versions only among them. */
  subjects(): string[] {
    return [...this.#subjects.keys()].sort()
  }

  /** All versions, deleted ones among them, in ascending order. */
  versions(subject: string): SchemaValue[] {
    return [...(this.#subjects.get(subject)?.values() ?? [])].sort((left, right) => left.version - right.version)
  }

  version(subject: string, version: number): SchemaValue | undefined {
    return this.#subjects.get(subject)?.get(version)
  }

  contexts(): string[] {
    const named = [...this.#contexts].filter(([, context]) => context.byId.size > 0).map(([name]) => name)
    return [...new Set([DEFAULT_CONTEXT, ...named])].sort()
  }

  /** The versions that have an id, deleted ones among them. */
  byId(context: string, id: number): SchemaValue[] {
    return [...(this.#contexts.get(context)?.byId.get(id) ?? [])]
  }

  /** The id of a content in a context, if any version there has it. */
  idOf(context: string, content: SchemaContent): number | undefined {
    const ids = this.#contexts.get(context)?.byContent.get(keyOf(content))
    return ids && Math.min(...ids.keys())
  }

  /** The largest id that a context has ever had. */
  maxId(context: string): number {
    return this.#contexts.get(context)?.maxId ?? 0
  }

  /** The versions, not deleted, that refer to a version. */
  referrers(subject: string, version: number): SchemaValue[] {
    return [...(this.#referrers.get(`${subject} ${version}`) ?? [])].filter((schema) => !schema.deleted)
  }

  /** What is set for exactly this scope: a subject, a context as `:.ctx:`, or null for the registry. */
  config(scope: string | null): ConfigValue | undefined {
    return this.#configs.get(scope)
  }

  mode(scope: string | null): Mode | undefined {
    return this.#modes.get(scope)
  }

  /** For tests: everything, in a form that can be compared. */
  snapshot(): unknown {
    return {
      schemas: this.subjects().flatMap((subject) => this.versions(subject)),
      ids: [...this.#contexts]
        .filter(([, context]) => context.byId.size > 0)
        .map(([name, context]) => [name, [...context.byId.keys()].sort((left, right) => left - right)])
        .sort(),
      contents: [...this.#contexts]
        .flatMap(([name, { byContent }]) => [...byContent].map(([key, ids]) => [name, key, ...[...ids].flat()]))
        .sort(),
      configs: [...this.#configs].sort(),
      modes: [...this.#modes].sort(),
      referrers: [...this.#referrers].map(([key, schemas]) => [key, [...schemas].map(placeOf).sort()]).sort(),
    }
  }

  #add(schema: SchemaValue): void {
    const versions = this.#subjects.get(schema.subject) ?? new Map<number, SchemaValue>()
    this.#subjects.set(schema.subject, versions.set(schema.version, schema))
    const name = contextOf(schema.subject)
    const context = this.#contexts.get(name) ?? { maxId: 0, byId: new Map(), byContent: new Map() }
    this.#contexts.set(name, context)
    context.maxId = Math.max(context.maxId, schema.id)
    addTo(context.byId, schema.id, schema)
    const ids = context.byContent.get(keyOf(schema)) ?? new Map<number, number>()
    context.byContent.set(keyOf(schema), ids.set(schema.id, (ids.get(schema.id) ?? 0) + 1))
    for (const reference of schema.references ?? []) addTo(this.#referrers, targetOf(schema, reference), schema)
  }

  #remove(subject: string, version: number): void {
    const schema = this.version(subject, version)
    if (!schema) return
    const versions = this.#subjects.get(subject)!
    versions.delete(version)
    if (versions.size === 0) this.#subjects.delete(subject)
    const context = this.#contexts.get(contextOf(subject))!
    removeFrom(context.byId, schema.id, schema)
    const ids = context.byContent.get(keyOf(schema))!
    const uses = ids.get(schema.id)! - 1
    if (uses > 0) ids.set(schema.id, uses)
    else ids.delete(schema.id)
    if (ids.size === 0) context.byContent.delete(keyOf(schema))
    for (const reference of schema.references ?? []) removeFrom(this.#referrers, targetOf(schema, reference), schema)
  }

  #softDelete(subject: string, upTo: number): void {
    for (const schema of this.versions(subject)) {
      if (schema.version > upTo || schema.deleted) continue
      this.#remove(subject, schema.version)
      this.#add({ ...schema, deleted: true })
    }
  }
}

interface Context {
  maxId: number
  readonly byId: Map<number, Set<SchemaValue>>
  /** Ids by content, with how many versions have both; imported schemas may give one content several ids. */
  readonly byContent: Map<string, Map<number, number>>
}

const keyOf = (content: SchemaContent): string =>
  JSON.stringify([
    content.schemaType ?? "AVRO",
    content.schema,
    (content.references ?? []).map(({ name, subject, version }) => [name, subject, version]),
    content.metadata ?? null,
    content.ruleSet ?? null,
  ])

export const sameContent = (left: SchemaContent, right: SchemaContent): boolean => keyOf(left) === keyOf(right)

const placeOf = (schema: SchemaValue): string => `${schema.subject} ${schema.version}`

const targetOf = (schema: SchemaValue, reference: SchemaReference): string => {
  const context = contextOf(schema.subject)
  const qualified = reference.subject.startsWith(":.") || context === DEFAULT_CONTEXT
  return `${qualified ? reference.subject : `:${context}:${reference.subject}`} ${reference.version}`
}

function put<K, V>(map: Map<K, V>, key: K, value: V | null | undefined): void {
  if (value === null || value === undefined) map.delete(key)
  else map.set(key, value)
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key)
  if (values) values.add(value)
  else map.set(key, new Set([value]))
}

function removeFrom<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key)
  values?.delete(value)
  if (values?.size === 0) map.delete(key)
}
