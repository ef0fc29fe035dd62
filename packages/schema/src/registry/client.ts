/**
 * A schema registry over HTTP, as Confluent's REST API has it.
 *
 * What cannot change is asked once: the schema with an id, the id of a schema under a subject. `fetch` is a parameter, so
 * that tests and one process that holds both sides need no socket. Of several URLs the next is tried when one does not
 * answer. Errors: `RegistryError` with the registry's own code and words; `RegistryUnreachable` when nobody answered.
 */
import type { Registry, SchemaReference, SchemaText, SchemaType } from "./registry.ts"

export interface RegistryClientOptions {
  readonly url: string | readonly string[]
  readonly fetch?: typeof globalThis.fetch
  /** Sent with each request: authorization, say. */
  readonly headers?: Readonly<Record<string, string>>
  /** How many schemas and ids to remember. */
  readonly cacheEntriesMax?: number
}

export type CompatibilityLevel =
  | "NONE"
  | "BACKWARD"
  | "BACKWARD_TRANSITIVE"
  | "FORWARD"
  | "FORWARD_TRANSITIVE"
  | "FULL"
  | "FULL_TRANSITIVE"

export interface RegisteredSchema extends SchemaText {
  readonly subject: string
  readonly id: number
  readonly version: number
}

/** The registry answered, and refused. `code` is its error code: 40401, 42201 … */
export class RegistryError extends Error {
  override readonly name = "RegistryError"
  readonly status: number
  readonly code: number
  constructor(status: number, code: number, message: string) {
    super(`the schema registry refused: ${message} (${code})`)
    this.status = status
    this.code = code
  }
}

export class RegistryUnreachable extends Error {
  override readonly name = "RegistryUnreachable"
  readonly retriable = true
}

const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
const CACHE_ENTRIES_MAX = 10_000

export class RegistryClient implements Registry {
  /** To make another like it, in another thread say. */
  readonly settings: RegistryClientOptions
  readonly #urls: readonly string[]
  readonly #fetch: typeof globalThis.fetch
  readonly #headers: Readonly<Record<string, string>>
  readonly #cacheEntriesMax: number
  readonly #byId = new Map<number, Promise<SchemaText>>()
  readonly #byVersion = new Map<string, Promise<RegisteredSchema>>()
  readonly #ids = new Map<string, Promise<number>>()

  constructor(options: RegistryClientOptions) {
    const urls = typeof options.url === "string" ? options.url.split(",") : options.url
    this.settings = options
    this.#urls = urls.map((url) => url.trim().replace(/\/+$/, ""))
    this.#fetch = options.fetch ?? globalThis.fetch
    this.#headers = { Accept: CONTENT_TYPE, "Content-Type": CONTENT_TYPE, ...options.headers }
    this.#cacheEntriesMax = options.cacheEntriesMax ?? CACHE_ENTRIES_MAX
  }

  register(subject: string, schema: SchemaText): Promise<number> {
    return this.#once(this.#ids, `register ${subject} ${keyOf(schema)}`, async () => {
      const { id } = await this.#request<{ id: number }>(
        "POST",
        `/subjects/${encode(subject)}/versions`,
        bodyOf(schema),
      )
      return id
    })
  }

  lookup(subject: string, schema: SchemaText): Promise<number> {
    return this.#once(this.#ids, `lookup ${subject} ${keyOf(schema)}`, async () => {
      const { id } = await this.#request<{ id: number }>("POST", `/subjects/${encode(subject)}`, bodyOf(schema))
      return id
    })
  }

  schemaById(id: number): Promise<SchemaText> {
    return this.#once(this.#byId, id, async () =>
      schemaOf(await this.#request<WireSchema>("GET", `/schemas/ids/${id}`)),
    )
  }

  schemaByVersion(subject: string, version: number | "latest"): Promise<RegisteredSchema> {
    const get = async (): Promise<RegisteredSchema> => {
      const path = `/subjects/${encode(subject)}/versions/${version}`
      const found = await this.#request<WireSchema & Omit<RegisteredSchema, keyof SchemaText>>("GET", path)
      return { subject: found.subject, id: found.id, version: found.version, ...schemaOf(found) }
    }
    return version === "latest" ? get() : this.#once(this.#byVersion, `${subject} ${version}`, get)
  }

  subjects(): Promise<string[]> {
    return this.#request("GET", "/subjects")
  }

  versions(subject: string): Promise<number[]> {
    return this.#request("GET", `/subjects/${encode(subject)}/versions`)
  }

  /** Whether a schema could be registered next, and if not, why. */
  async compatibility(
    subject: string,
    schema: SchemaText,
    version: number | "latest" = "latest",
  ): Promise<{ isCompatible: boolean; messages: readonly string[] }> {
    const answer = await this.#request<{ is_compatible: boolean; messages?: string[] }>(
      "POST",
      `/compatibility/subjects/${encode(subject)}/versions/${version}?verbose=true`,
      bodyOf(schema),
    )
    return { isCompatible: answer.is_compatible, messages: answer.messages ?? [] }
  }

  /** The compatibility level of a subject, or of the registry where the subject has none of its own. */
  async compatibilityLevel(subject?: string): Promise<CompatibilityLevel> {
    const path = subject === undefined ? "/config" : `/config/${encode(subject)}?defaultToGlobal=true`
    return (await this.#request<{ compatibilityLevel: CompatibilityLevel }>("GET", path)).compatibilityLevel
  }

  async setCompatibilityLevel(level: CompatibilityLevel, subject?: string): Promise<void> {
    const path = subject === undefined ? "/config" : `/config/${encode(subject)}`
    await this.#request("PUT", path, { compatibility: level })
  }

  /** Deletes all versions: hidden at first, gone with `permanent`, which needs the first. Answers the versions. */
  deleteSubject(subject: string, options: { readonly permanent?: boolean } = {}): Promise<number[]> {
    this.#ids.clear()
    return this.#request("DELETE", `/subjects/${encode(subject)}?permanent=${options.permanent ?? false}`)
  }

  /** Remembers a promise; forgets it when it fails, and the oldest ones when there are too many. */
  #once<K, V>(cache: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
    const known = cache.get(key)
    if (known) return known
    if (cache.size >= this.#cacheEntriesMax) cache.delete(cache.keys().next().value!)
    const asked = ask()
    cache.set(key, asked)
    asked.catch(() => cache.delete(key))
    return asked
  }

  async #request<T>(method: string, path: string, body?: unknown): Promise<T> {
    let failure: unknown
    for (const url of this.#urls) {
      const init: RequestInit = { method, headers: this.#headers }
      if (body !== undefined) init.body = JSON.stringify(body)
      let response: Response
      try {
        response = await this.#fetch(`${url}${path}`, init)
      } catch (cause) {
        failure = cause
        continue
      }
      return await answerOf<T>(response)
    }
    const reason = failure instanceof Error && failure.cause instanceof Error ? failure.cause.message : String(failure)
    throw new RegistryUnreachable(`no schema registry answers at ${this.#urls.join(", ")}: ${reason}`, {
      cause: failure,
    })
  }
}

interface WireSchema {
  readonly schema: string
  readonly schemaType?: SchemaType
  readonly references?: readonly SchemaReference[]
}

/** An Avro answer leaves its type out. */
const schemaOf = (wire: WireSchema): SchemaText => ({
  schemaType: wire.schemaType ?? "AVRO",
  schema: wire.schema,
  ...(wire.references && wire.references.length > 0 ? { references: wire.references } : {}),
})

const bodyOf = (schema: SchemaText): unknown => ({
  schema: schema.schema,
  ...(schema.schemaType === "AVRO" ? {} : { schemaType: schema.schemaType }),
  ...(schema.references ? { references: schema.references } : {}),
})

const keyOf = (schema: SchemaText): string => JSON.stringify([schema.schemaType, schema.schema, schema.references])

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text()
  let json: unknown
  try {
    json = text === "" ? undefined : JSON.parse(text)
  } catch {
    throw new RegistryError(response.status, response.status, `it answered ${response.status} and no JSON`)
  }
  if (response.ok) return json as T
  const { error_code: code, message } = (json ?? {}) as { error_code?: number; message?: string }
  throw new RegistryError(response.status, code ?? response.status, message ?? response.statusText)
}

const encode = encodeURIComponent
