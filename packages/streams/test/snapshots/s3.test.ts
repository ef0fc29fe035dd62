/**
 * Signatures as Amazon's documentation works them out, and the requests of a snapshot store against a server that keeps
 * objects, lists them two at a time, and refuses a body that is not the one that was signed.
 */
import { createHash } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { nodeHost } from "@millrace/host/node"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { S3Snapshots } from "../../src/snapshots/s3.ts"
import { signedHeaders } from "../../src/snapshots/sigv4.ts"
import { snapshotStoreConformance } from "../conformance/snapshot-store.ts"

const EXAMPLE = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}

test.each([
  [
    "GET",
    "/test.txt",
    { range: "bytes=0-9" },
    undefined,
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "PUT",
    "/test%24file.text",
    { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    "Welcome to Amazon S3.",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  ["GET", "/?max-keys=2&prefix=J", {}, undefined, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
])("a %s of %s is signed as in Amazon's example", (method, path, headers, body, signature) => {
  const url = new URL(`https://examplebucket.s3.amazonaws.com${path}`)
  const request = { method, url, headers: headers as Record<string, string>, ...(body && { body: Buffer.from(body) }) }
  const signed = signedHeaders(request, EXAMPLE, "us-east-1", "s3", 1_369_353_600_000)
  expect(signed["authorization"]).toMatch(new RegExp(`Signature=${signature}$`))
})

describe("a bucket", () => {
  let server: Server
  let endpoint: string
  let objects: Map<string, Buffer>
  let failures: number[]

  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
  const answer = (request: IncomingMessage, body: Buffer): [status: number, content: string | Buffer] => {
    const failure = failures.shift()
    if (failure !== undefined) return [failure, "<Error><Code>SlowDown</Code><Message>Later.</Message></Error>"]
    const url = new URL(request.url!, endpoint)
    const isSigned = request.headers["x-amz-content-sha256"] === createHash("sha256").update(body).digest("hex")
    if (!isSigned) return [403, "<Error><Code>BadDigest</Code><Message>Another body.</Message></Error>"]
    if (!url.pathname.startsWith("/bucket/")) return [404, "<Error><Code>NoSuchBucket</Code></Error>"]
    const key = decodeURIComponent(url.pathname.slice("/bucket/".length))
    if (request.method === "PUT") objects.set(key, body)
    if (request.method === "DELETE") objects.delete(key)
    if (request.method !== "GET") return [request.method === "PUT" ? 200 : 204, ""]
    if (key !== "") return objects.has(key) ? [200, objects.get(key)!] : [404, "<Error><Code>NoSuchKey</Code></Error>"]
    const from = url.searchParams.get("continuation-token") ?? ""
    const all = [...objects.keys()]
      .filter((one) => one.startsWith(url.searchParams.get("prefix")!) && one > from)
      .sort()
    const page = all.slice(0, 2)
    const keys = page.map((one) => `<Contents><Key>${escaped(one)}</Key><Size>1</Size></Contents>`)
    const more = all.length > 2
    const next = more ? `<NextContinuationToken>${escaped(page.at(-1)!)}</NextContinuationToken>` : ""
    return [200, `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${keys.join("")}</ListBucketResult>`]
  }

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray())
      const [status, content] = answer(request, body)
      response.writeHead(status).end(content)
    })
    await once(server.listen(0, "127.0.0.1"), "listening")
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())
  beforeEach(() => {
    objects = new Map()
    failures = []
  })

  const open = (bucket = "bucket", prefix = "state/of-all") =>
    new S3Snapshots({ ...EXAMPLE, bucket, prefix, endpoint }, nodeHost.clock)

  snapshotStoreConformance(async () => open())

  test("names lie behind the prefix, and are as they were put", async () => {
    await open().put("app/a & <b>'(1)/0", Buffer.from("x"))
    expect([...objects.keys()]).toEqual(["state/of-all/app/a & <b>'(1)/0"])
    expect(await open().list("app/")).toEqual(["app/a & <b>'(1)/0"])
    expect(await open("bucket", "").list("state/")).toEqual(["state/of-all/app/a & <b>'(1)/0"])
  })

  test("what passes is tried again, what is refused is told", async () => {
    failures = [503, 500]
    await open().put("app/0", Buffer.from("x"))
    expect(objects.size).toBe(1)
    failures = [403]
    await expect(open().get("app/0")).rejects.toThrow(/^GET \/bucket\/state\/of-all\/app\/0 at .*: SlowDown Later\.$/)
    await expect(open("none").list("app/")).rejects.toThrow(/^there is no bucket none at http:/)
  })

  test("a bucket that is not there is no success for what is put", async () => {
    await expect(open("none").put("app/0", Buffer.from("x"))).rejects.toThrow(/NoSuchBucket/)
  })
})
