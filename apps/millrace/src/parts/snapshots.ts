/**
 * Where `--snapshots` says that copies of state go: a directory, or s3://BUCKET[/PREFIX] with the variables of the
 * environment that Amazon's own tools read.
 */
import * as path from "node:path"
import type { SnapshotsOptions } from "@millrace/streams"
import { UsageError } from "../command.ts"

export function snapshotsTo(
  given: string,
  env: Readonly<Record<string, string | undefined>>,
): Exclude<SnapshotsOptions["to"], { put: unknown }> {
  if (!given.startsWith("s3://")) return path.resolve(given)
  const [, bucket, prefix] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(given) ?? []
  if (bucket === undefined) throw new UsageError(`--snapshots ${given}: expected s3://BUCKET or s3://BUCKET/PREFIX`)
  const required = (name: string): string => {
    const value = env[name]
    if (value === undefined || value === "") throw new UsageError(`--snapshots ${given}: ${name} is not set`)
    return value
  }
  const optional = {
    prefix,
    sessionToken: env["AWS_SESSION_TOKEN"],
    region: env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"],
    endpoint: env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"],
  }
  const isGiven = ([, value]: readonly [string, string | undefined]) => value !== undefined && value !== ""
  return {
    bucket,
    accessKeyId: required("AWS_ACCESS_KEY_ID"),
    secretAccessKey: required("AWS_SECRET_ACCESS_KEY"),
    ...(Object.fromEntries(Object.entries(optional).filter(isGiven)) as { prefix?: string }),
  }
}
