/**
 * Snapshots in a bucket of Amazon S3, or of a store that speaks its protocol.
 *
 * An object is there whole or not at all, and a listing shows it once its `put` was answered: S3 promises both. What fails
 * for a reason that passes is tried again.
 */
import { type Clock, sleep } from "@millrace/host"
import { type Credentials, encoded, signedHeaders } from "./sigv4.ts"
import type { SnapshotStore } from "./snapshot-store.ts"

/** Plain data, so that worker threads can be told. */
export interface S3Location extends Credentials {
  readonly bucket: string
  /** Names of objects begin with it. */
  readonly prefix?: string
  readonly region?: string
  /** Such as `http://127.0.0.1:9000`, where buckets are the first part of a path; default: Amazon's, by the region. */
  readonly endpoint?: string
}

const REGION = "us-east-1"
const TIMEOUT_MS = 60_000
const ATTEMPTS_MAX = 4
const BACKOFF_MS = 200

export class S3Snapshots implements SnapshotStore {
  readonly #location: S3Location
  readonly #region: string
  readonly #clock: Clock
  readonly #base: string
  readonly #prefix: string

  constructor(location: S3Location, clock: Clock) {
    const { bucket, region = REGION, endpoint, prefix = "" } = location
    this.#location = location
    this.#region = region
    this.#clock = clock
    this.#base =
      endpoint === undefined
        ? `https://${bucket}.s3.${region}.amazonaws.com/`
        : `${endpoint.replace(/\/+$/, "")}/${encoded(bucket)}/`
    this.#prefix = prefix === "" ? "" : `${prefix.replaceAll(/^\/+|\/+$/g, "")}/`
  }

  async put(name: string, content: Uint8Array): Promise<void> {
    await this.#ask("PUT", this.#objectUrl(name), content)
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const response = await this.#ask("GET", this.#objectUrl(name))
    return response && new Uint8Array(await response.arrayBuffer())
  }

  async list(prefix: string): Promise<string[]> {
    const found: string[] = []
    let next: string | undefined
    do {
      const url = new URL(this.#base)
      url.searchParams.set("list-type", "2")
      url.searchParams.set("prefix", this.#prefix + prefix)
      if (next !== undefined) url.searchParams.set("continuation-token", next)
      const response = await this.#ask("GET", url)
      if (response === undefined) throw new Error(`there is no bucket ${this.#location.bucket} at ${url.origin}`)
      const text = await response.text()
      for (const key of elements(text, "Key")) found.push(key.slice(this.#prefix.length))
      next = elements(text, "IsTruncated")[0] === "true" ? elements(text, "NextContinuationToken")[0] : undefined
    } while (next !== undefined)
    return found
  }

  async delete(name: string): Promise<void> {
    await this.#ask("DELETE", this.#objectUrl(name))
  }

  #objectUrl(name: string): URL {
    return new URL(this.#base + (this.#prefix + name).split("/").map(encoded).join("/"))
  }

  /** undefined: there is no such thing. */
  async #ask(method: string, url: URL, body?: Uint8Array): Promise<Response | undefined> {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === ATTEMPTS_MAX
      try {
        const response = await this.#send(method, url, body)
        if (response.ok) return response
        const text = await response.text()
        if (response.status === 404 && method !== "PUT") return undefined
        const reason = `${elements(text, "Code")[0] ?? response.status} ${elements(text, "Message")[0] ?? ""}`.trim()
        if (isLast || response.status < 500) throw new Refused(`${method} ${url.pathname} at ${url.host}: ${reason}`)
      } catch (cause) {
        if (isLast || cause instanceof Refused) throw cause
      }
      await sleep(this.#clock, BACKOFF_MS * 2 ** attempt)
    }
  }

  #send(method: string, url: URL, body?: Uint8Array): Promise<Response> {
    const request = { method, url, ...(body && { body }) }
    const headers = signedHeaders(request, this.#location, this.#region, "s3", this.#clock.now())
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    return fetch(url, { method, headers, signal, ...(body && { body: body as Uint8Array<ArrayBuffer> }) })
  }
}

/** What S3 will not do, however often it is asked. */
class Refused extends Error {}

/** The contents of all elements of a name; what S3 answers nests none in itself. */
function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text]) => unescaped(text!))
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
const unescaped = (text: string): string =>
  text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? all
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal))
  })
