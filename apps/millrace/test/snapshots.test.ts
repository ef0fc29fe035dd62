import * as path from "node:path"
import { expect, it } from "vitest"
import { snapshotsTo } from "../src/parts/snapshots.ts"

const KEYS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" }
const credentials = { accessKeyId: "id", secretAccessKey: "secret" }

it.each([
  ["copies", {}, path.resolve("copies")],
  ["s3://bucket", KEYS, { bucket: "bucket", ...credentials }],
  [
    "s3://bucket/some/prefix",
    { ...KEYS, AWS_REGION: "eu-central-1", AWS_SESSION_TOKEN: "token", AWS_ENDPOINT_URL: "" },
    { bucket: "bucket", prefix: "some/prefix", region: "eu-central-1", sessionToken: "token", ...credentials },
  ],
  [
    "s3://bucket/",
    { ...KEYS, AWS_DEFAULT_REGION: "r", AWS_ENDPOINT_URL: "http://a", AWS_ENDPOINT_URL_S3: "http://b" },
    { bucket: "bucket", region: "r", endpoint: "http://b", ...credentials },
  ],
])("--snapshots %s", (given, env, expected) => {
  expect(snapshotsTo(given, env)).toEqual(expected)
})

it.each([
  ["s3://", KEYS, "expected s3://BUCKET or s3://BUCKET/PREFIX"],
  ["s3://bucket", { AWS_ACCESS_KEY_ID: "id" }, "AWS_SECRET_ACCESS_KEY is not set"],
])("--snapshots %s is refused: %j", (given, env, reason) => {
  expect(() => snapshotsTo(given, env)).toThrow(`--snapshots ${given}: ${reason}`)
})
