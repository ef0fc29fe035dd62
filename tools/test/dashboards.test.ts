/** The dashboards ask for metrics that there are. */
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { BROKER_METRICS } from "@millrace/broker/metrics/table"
import { PROCESS_METRICS } from "millrace/reference"
import type { MetricsTable } from "@millrace/metrics"
import { STREAMS_METRICS } from "@millrace/streams/metrics/table"
import { expect, test } from "vitest"

const DIRECTORY = path.resolve(import.meta.dirname, "../../docs/dashboards")
const names = ({ prefix, metrics }: MetricsTable<never>) => metrics.map(({ name }) => prefix + name)
const known = new Set([...names(BROKER_METRICS), ...names(STREAMS_METRICS), ...names(PROCESS_METRICS)])

test.each(readdirSync(DIRECTORY))("%s", (file) => {
  const { panels } = JSON.parse(readFileSync(path.join(DIRECTORY, file), "utf8"))
  const asked = panels.flatMap((panel: { targets: { expr: string }[] }) =>
    panel.targets.flatMap(({ expr }) => expr.match(/\b(?:millrace|process|nodejs)_\w+/g) ?? []),
  )
  expect(asked.length).toBeGreaterThan(0)
  for (const name of asked) expect(known, name).toContain(name.replace(/_(?:bucket|sum|count)$/, ""))
})
