/**
 * The reference pages: what the tables of commands and settings say, as Markdown. The pages in `docs/reference` are made
 * from here and never edited.
 */
import { brokerConfig, groupConfig, topicConfig } from "@millrace/broker"
import { type ConfigTable, helpMarkdown } from "@millrace/config"
import { workerConfig } from "@millrace/connect"
import { fileSourceConfig } from "@millrace/connector-file/file-config"
import { sqliteSinkConfig } from "@millrace/connector-sqlite/sqlite-config"
import { registryConfig } from "@millrace/schema-registry"
import { BROKER_METRICS } from "@millrace/broker/metrics/table"
import type { MetricsTable } from "@millrace/metrics"
import { STREAMS_METRICS } from "@millrace/streams/metrics/table"
import type { Command } from "./command.ts"
import { COMMANDS } from "./commands.ts"
import { PROCESS_METRICS } from "./parts/process-metrics.ts"
import { runConfig } from "./parts/run-config.ts"

export { PROCESS_METRICS }

interface SettingsPage {
  readonly title: string
  /** Where the settings are given. */
  readonly how: string
  readonly table: ConfigTable
}

const SETTINGS: Readonly<Record<string, SettingsPage>> = {
  "broker-config.md": {
    title: "Settings of a broker",
    how: "In the file of `millrace broker --config FILE` (or `millrace up`), or one by one with `--set name=value`. What Kafka has beside them for threads, buffers, Kerberos, other brokers and Java's own TLS is accepted without effect, and named in one warning at the start. Any other name is refused.",
    table: brokerConfig,
  },
  "topic-config.md": {
    title: "Settings of a topic",
    how: "With `millrace topic create NAME --set name=value`, or by any Kafka tool. What a topic does not set, the broker's setting decides.",
    table: topicConfig,
  },
  "group-config.md": {
    title: "Settings of a group",
    how: "With `kafka-configs --alter --entity-type groups --entity-name NAME --add-config name=value`, or by any other Kafka tool, for groups of the consumer and the streams protocol; members hear of a change with their next heartbeat. What a group does not set, the broker's setting of the same name behind `group.` decides. How far a group may go the broker's `group.*.min.*` and `group.*.max.*` say.",
    table: groupConfig,
  },
  "connect-config.md": {
    title: "Settings of a connect worker",
    how: "In the file of `millrace connect --config FILE`, or one by one with `--set name=value`. Settings of converters follow `key.converter.` and `value.converter.`.",
    table: workerConfig,
  },
  "file-source.md": {
    title: "The file source",
    how: "Settings of a connector whose `connector.class` is `FileSource`, beside `name`, `tasks.max` and the converters.",
    table: fileSourceConfig,
  },
  "sqlite-sink.md": {
    title: "The SQLite sink",
    how: "Settings of a connector whose `connector.class` is `SqliteSink`, beside `name`, `topics`, `tasks.max` and the converters.",
    table: sqliteSinkConfig,
  },
  "registry-config.md": {
    title: "Settings of a schema registry",
    how: "In the file of `millrace registry --config FILE`, or one by one with `--set name=value`.",
    table: registryConfig,
  },
  "run-config.md": {
    title: "Settings of a running pipeline",
    how: "One by one, with `millrace run FILE.ts --set name=value`. The library's `run` takes them as options.",
    table: runConfig,
  },
}

/** Pages by file name. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>()
  pages.set("cli.md", await commandsPage())
  const streams =
    "As Prometheus' text at `/metrics`, of `millrace run FILE.ts --metrics HOST:PORT` or of the server that `queries` starts. " +
    "Each has the label `application` besides those listed. The library's `handle.metrics()` has the same figures."
  const broker =
    "As Prometheus' text at `/metrics`, of `millrace broker --metrics HOST:PORT` and `millrace up --metrics HOST:PORT`. Beside it " +
    "`/health` answers 200 while the process lives, and `/ready` 200 while all partitions can be used, else 503 and why. " +
    "Logs, and the lag of groups, are of partitions that have been used since the start. What the process takes: process-metrics.md."
  const ofProcess =
    "Beside the others at `/metrics` of `millrace broker`, `millrace up` and `millrace run`, with the names that Prometheus' own client libraries use."
  pages.set(
    "streams-metrics.md",
    metricsPage("Metrics of a running pipeline", streams, "Kafka Streams", STREAMS_METRICS),
  )
  pages.set("broker-metrics.md", metricsPage("Metrics of a broker", broker, "Apache Kafka", BROKER_METRICS))
  pages.set("process-metrics.md", metricsPage("Metrics of a process", ofProcess, "Apache Kafka", PROCESS_METRICS))
  for (const [file, { title, how, table }] of Object.entries(SETTINGS)) {
    pages.set(file, `# ${title}\n\n${how}\n\n${helpMarkdown(table)}\n`)
  }
  return pages
}

async function commandsPage(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (entry) => (await entry.load()).default))
  return [
    "# The millrace command",
    "Exit codes: 0 for success, 1 for a fault, 2 for wrong arguments. A fault is one line on stderr. Servers print one line " +
      "to stdout when they are ready, and drain on SIGTERM and SIGINT; a second one ends them at once.",
    ...commands.map(commandSection),
    "",
  ].join("\n\n")
}

function metricsPage(title: string, how: string, peer: string, { prefix, metrics }: MetricsTable<never>): string {
  const rows = metrics.map(
    ({ name, type, unit, labels, help, kafka }) =>
      `| \`${prefix}${name}\` | ${type} | ${unit} | ${labels.join(", ")} | ${help} | ${kafka ?? ""} |`,
  )
  const head = [`| metric | type | unit | labels | | in ${peer} |`, "|---|---|---|---|---|---|"]
  return [`# ${title}`, how, [...head, ...rows].join("\n"), ""].join("\n\n")
}

/** A bar would end the cell, in code too. */
const cell = (text: string): string => text.replaceAll("|", "\\|")

function commandSection({ name, summary, positionals, options }: Command): string {
  const usage = `millrace ${name}${positionals === undefined ? "" : ` ${positionals}`} [options]`
  const rows = Object.entries(options).map(([option, { value, help, default: preset, required, multiple }]) => {
    const notes = [
      required ? "required" : "",
      preset === undefined ? "" : `default \`${preset}\``,
      multiple ? "may repeat" : "",
    ].filter((note) => note !== "")
    const about = notes.length === 0 ? help : `${help} (${notes.join(", ")})`
    const named = `--${option}${value === undefined ? "" : ` ${value}`}`
    return `| \`${cell(named)}\` | ${cell(about)} |`
  })
  const table = rows.length === 0 ? [] : ["", "| option | |", "|---|---|", ...rows]
  return [`## millrace ${name}`, "", summary, "", `    ${usage}`, ...table].join("\n")
}
