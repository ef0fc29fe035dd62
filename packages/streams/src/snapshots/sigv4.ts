/**
 * Signs a request as AWS Signature Version 4 says, for services that take a hash of the body in a header, as S3 does.
 */
import { createHash, createHmac } from "node:crypto"

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Unsigned {
  readonly method: string
  readonly url: URL
  /** Further headers to sign, by their names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

const ALGORITHM = "AWS4-HMAC-SHA256"
const EMPTY = new Uint8Array(0)

const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex")
const hmac = (key: string | Buffer, content: string): Buffer => createHmac("sha256", key).update(content).digest()

/** All headers of the request but `host`, which goes without saying. */
export function signedHeaders(
  { method, url, headers = {}, body = EMPTY }: Unsigned,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  region: string,
  service: string,
  now: number,
): Record<string, string> {
  const time = timeText(now)
  const day = time.slice(0, 8)
  const sent: Record<string, string> = {
    ...headers,
    "x-amz-content-sha256": sha256(body),
    "x-amz-date": time,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
  }
  const all = Object.entries({ ...sent, host: url.host }).sort(([left], [right]) => (left < right ? -1 : 1))
  const names = all.map(([name]) => name).join(";")
  const request = [
    method,
    url.pathname.split("/").map(reencoded).join("/"),
    [...url.searchParams]
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .sort()
      .join("&"),
    ...all.map(([name, value]) => `${name}:${value.trim()}`),
    "",
    names,
    sent["x-amz-content-sha256"],
  ].join("\n")
  const scope = `${day}/${region}/${service}/aws4_request`
  const key = [region, service, "aws4_request"].reduce<Buffer>(hmac, hmac(`AWS4${secretAccessKey}`, day))
  const signature = hmac(key, [ALGORITHM, time, scope, sha256(request)].join("\n")).toString("hex")
  return {
    ...sent,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`,
  }
}

/** Such as 20130524T000000Z. */
const timeText = (now: number): string =>
  dateOf(now)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "")

// No clock is read: the time is given.
// oxlint-disable-next-line no-restricted-globals
const dateOf = (ms: number): Date => new Date(ms)

/** Everything but letters, digits and `-._~`. */
export const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

const reencoded = (part: string): string => encoded(decodeURIComponent(part))
