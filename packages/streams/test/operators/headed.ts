/** Records that have headers, and what is read of them: headers.test.ts, table-headers.test.ts. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import * as S from "../../src/index.ts"

export const In = S.topic("in", { key: string, value: json<number>() })
export const Other = S.topic("other", { key: string, value: json<number>() })
export const Out = S.topic("out", { key: string, value: json<any>() })
export const any = json<any>()

export const of = (...values: string[]): S.Headers => values.map((value) => ({ key: "h", value: Buffer.from(value) }))
export const told = (headers: S.Headers | undefined) =>
  headers?.map(({ key, value }) => (value === null ? key : Buffer.from(value).toString()))

export const started = (build: () => any, options?: S.PipelineOptions) =>
  TestDriver.start(S.pipeline("app", build, options))

export type Sent = readonly [key: string, value: number | null, timestamp: number, ...headers: string[]]
export function send(driver: TestDriver, ...records: Sent[]): void {
  for (const [key, value, timestamp, ...headers] of records)
    driver.send(In, { key, value, timestamp, headers: of(...headers) })
}
export const written = (driver: TestDriver) =>
  driver.read(Out).map(({ key, value, headers }) => [key, value, ...told(headers)!])
export const rows = (driver: TestDriver, store: string) =>
  driver.rows(store).map(({ key, value, headers }) => [key, value, told(headers)])
