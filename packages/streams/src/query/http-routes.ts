/**
 * Interactive queries over HTTP, from any process of the application:
 *
 *     GET /                        the application, its state, its processes
 *     GET /lags                    how far the stores that are here are behind their changelogs, copies too
 *     GET /metrics                 metrics, as Prometheus' text: see metrics/table.ts
 *     GET /stores                  stores, with the partitions that are here
 *     GET /stores/NAME             rows, partition by partition:   from, to, prefix, order, limit, partition, after
 *     GET /stores/NAME/KEY         the row of a key; of a windowed store its windows (from, to), or one (start);
 *                                  of a versioned store the version that held at a time (asOf), or several (from, to)
 *
 * Times are milliseconds of the epoch, or ISO 8601 with a time zone.
 *
 * All take `isolation=read_uncommitted`, `bound={"topic":{"0":17}}` and `local=true`, which asks this process alone;
 * otherwise whoever is asked forwards to the process that has the partition. With `allowStale=true` a copy that is here
 * answers in its place, and tells its `lag` as of `seenAt`; so does one elsewhere when that process does not. How keys are written: json.ts.
 *
 * Failures are `{"error": REASON, "message": …}`: 404 for a store that is not there and a key without a row (windows of a key
 * are a range, which may be empty), 400 for what cannot be asked, 412 below the bound, 503 while a partition moves, 502 when the
 * process that has it does not answer.
 */
import type { HttpAnswer, HttpRequest, HttpRoute } from "@millrace/host/node/http"
import { PipelineError } from "../errors.ts"
import { PROMETHEUS_TYPE } from "@millrace/metrics"
import { prometheusText } from "../metrics/prometheus.ts"
import type { RunMetrics } from "../metrics/report.ts"
import type { Forwarder } from "./forward.ts"
import { parseKey, toJson } from "./json.ts"
import type { StoreLag } from "./lags.ts"
import { parsePosition } from "./position.ts"
import type { StorePlaces } from "./places.ts"
import type { FailureReason, PartitionResult, Query, QueryOptions, QueryResult, Row, Rows } from "./query.ts"
import type { StoreInfo } from "./stores.ts"

/** Whoever knows the stores of this process: the worker itself, or who watches over worker threads. */
export interface ProcessQueries extends StorePlaces {
  ask(store: string, query: Query, options: QueryOptions): Promise<QueryResult<any>>
  partitionsHere(info: StoreInfo, allowStale?: boolean): readonly number[] | Promise<readonly number[]>
}

export interface HttpQueriesOptions {
  readonly applicationId: string
  readonly state: () => string
  readonly metrics: () => RunMetrics
  readonly lags: () => Promise<readonly StoreLag[]>
  readonly queries: ProcessQueries
  readonly forwarder: Forwarder
}

/** Rows of a partition in one answer, when the URL does not say. */
const HTTP_ROWS = 1_000

const STATUS: Readonly<Record<FailureReason, number>> = {
  UNKNOWN_QUERY_TYPE: 400,
  STORE_EXCEPTION: 400,
  DOES_NOT_EXIST: 404,
  NOT_UP_TO_BOUND: 412,
  NOT_ACTIVE: 503,
  NOT_PRESENT: 503,
}

/** Who answers so has it not, not now, or is not well: another process may have it. One rule, for a key and for rows. */
const isAway = (status: number): boolean => status >= 500
/** Of a partition that failed, as a key of it would. */
const statusOf = (error: unknown): number => STATUS[error as FailureReason] ?? 502

export function queryRoutes(options: HttpQueriesOptions): readonly HttpRoute[] {
  return [
    { method: "GET", path: "/", handle: () => overview(options) },
    { method: "GET", path: "/metrics", handle: () => metricsText(options) },
    { method: "GET", path: "/lags", handle: async () => answer(200, await options.lags()) },
    { method: "GET", path: "/stores", handle: () => listStores(options.queries) },
    { method: "GET", path: "/stores/:name", handle: (request) => getRows(options, request) },
    { method: "GET", path: "/stores/:name/:key", handle: (request) => getKey(options, request) },
  ]
}

const answer = (status: number, body: unknown): HttpAnswer => ({
  status,
  body: toJson(body),
  headers: { "Content-Type": "application/json" },
})

const failure = (reason: FailureReason, message: string) => answer(STATUS[reason], { error: reason, message })

const overview = ({ applicationId, state, queries }: HttpQueriesOptions) =>
  answer(200, { applicationId, state: state(), processes: queries.allMetadata() })

const metricsText = ({ applicationId, metrics }: HttpQueriesOptions): HttpAnswer => ({
  status: 200,
  body: prometheusText(new Map([[applicationId, metrics()]])),
  headers: { "Content-Type": PROMETHEUS_TYPE },
})

async function listStores(queries: ProcessQueries): Promise<HttpAnswer> {
  const stores = queries.stores.map(async (info) => ({
    name: info.name,
    kind: info.kind,
    key: info.spec.key.name,
    value: info.spec.value.name,
    partitions: queries.partitionCount(info),
    here: await queries.partitionsHere(info),
  }))
  return answer(200, await Promise.all(stores))
}

async function getKey({ queries, forwarder }: HttpQueriesOptions, request: HttpRequest): Promise<HttpAnswer> {
  const info = queries.find(request.params["name"]!)
  const { query } = request
  const key = parseKey(request.params["key"]!, info.spec.key, query.get("keyEncoding"))
  const partition = numberIn(query, "partition") ?? queries.partitionOf(info, key)
  const options = optionsIn(query)
  const here = await queries.partitionsHere(info, options.allowStale)
  const isHere = isLocal(query) || here.includes(partition)
  const elsewhere = isHere ? [] : endpointsElsewhere(queries, info, partition, options)
  let forwarded: HttpAnswer | undefined
  for (const endpoint of elsewhere) {
    forwarded = await forwarder.forward(endpoint, request)
    if (!isAway(forwarded.status)) break
  }
  if (forwarded !== undefined) return forwarded
  const asked = keyQuery(info, key, query)
  const { partitions } = await queries.ask(info.name, asked, { ...options, partitions: [partition] })
  const result = partitions.get(partition)!
  if (!result.ok) return failure(result.reason, result.message)
  const seen = seenBy(result)
  if (asked.kind !== "key") return answer(200, { partition, ...seen, ...(result.result as unknown as Rows<any, any>) })
  if (result.result === undefined) return answer(404, { error: "NO_ROW", message: "there is no such key", ...seen })
  return answer(200, { partition, ...seen, ...(result.result as Row<any, any>) })
}

function keyQuery(info: StoreInfo, key: unknown, query: URLSearchParams): Query {
  if (info.kind === "versioned" && (query.has("from") || query.has("to"))) {
    return { kind: "versions", key, ...rangeIn(query) }
  }
  if (info.kind !== "window") {
    const asOf = timeIn(query, "asOf")
    return { kind: "key", key, ...(asOf !== undefined && { asOf }) }
  }
  const start = timeIn(query, "start")
  return start === undefined ? { kind: "windows", key, ...rangeIn(query) } : { kind: "key", key: { key, start } }
}

type TimesAndPaging = { from?: number; to?: number; order?: "asc" | "desc"; limit: number; after?: string }

function rangeIn(query: URLSearchParams): TimesAndPaging {
  const [from, to] = [timeIn(query, "from"), timeIn(query, "to")]
  return { ...pagingIn(query), ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

function pagingIn(query: URLSearchParams) {
  const order = query.get("order")
  if (order !== null && order !== "asc" && order !== "desc") throw new PipelineError(`order ${order}: asc or desc`)
  const after = query.get("after")
  const limit = numberIn(query, "limit") ?? HTTP_ROWS
  return { limit, ...(order !== null && { order: order as "asc" | "desc" }), ...(after !== null && { after }) }
}

function rowsQuery(info: StoreInfo, query: URLSearchParams): Query {
  const key = (name: string) => {
    const text = query.get(name)
    return text === null ? undefined : parseKey(text, info.spec.key, query.get("keyEncoding"))
  }
  if (info.kind === "window") return { kind: "window-range", ...rangeIn(query) }
  const prefix = key("prefix")
  if (prefix !== undefined) return { kind: "prefix", prefix, ...pagingIn(query) }
  const [from, to] = [key("from"), key("to")]
  return { kind: "range", ...pagingIn(query), ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

interface PartitionAnswer {
  readonly partition: number
  readonly [name: string]: unknown
}

interface Answered {
  /** Of an answer about this partition alone. */
  readonly status: number
  readonly found: PartitionAnswer
}

async function getRows({ queries, forwarder }: HttpQueriesOptions, request: HttpRequest): Promise<HttpAnswer> {
  const info = queries.find(request.params["name"]!)
  const { query } = request
  const only = numberIn(query, "partition")
  if (query.has("after") && only === undefined) throw new PipelineError("after continues one partition: name it too")
  const wanted = only === undefined ? allOf(queries.partitionCount(info)) : [only]
  const options = optionsIn(query)
  const present = await queries.partitionsHere(info, options.allowStale)
  const isHere = (one: number) => isLocal(query) || present.includes(one)
  const places = wanted.map((one) => [one, isHere(one) ? [] : endpointsElsewhere(queries, info, one, options)] as const)
  const here = places.filter(([, endpoints]) => endpoints.length === 0).map(([one]) => one)
  const asked = rowsQuery(info, query)
  const found = await queries.ask(info.name, asked, { ...options, partitions: here })
  const local = [...found.partitions].map(([partition, result]) => partitionAnswer(partition, result))
  const elsewhere = places.filter(([, endpoints]) => endpoints.length > 0)
  const remote = await forwardRows(forwarder, request, elsewhere)
  const all = [...local, ...remote].sort((left, right) => left.found.partition - right.found.partition)
  const [first] = all
  if (only !== undefined && first?.found["error"] !== undefined) {
    return answer(first.status, { error: first.found["error"], message: first.found["message"] })
  }
  return answer(200, { store: info.name, partitions: all.map(({ found }) => found) })
}

/** Other processes' partitions, each with those that may have it: the next is asked where one does not answer. */
async function forwardRows(
  forwarder: Forwarder,
  request: HttpRequest,
  places: ReadonlyArray<readonly [partition: number, endpoints: readonly string[]]>,
): Promise<readonly Answered[]> {
  const asked = Map.groupBy(places, ([, [endpoint]]) => endpoint!)
  const answers = await Promise.all(
    [...asked].map(([endpoint, those]) => {
      const partitions = those.map(([partition]) => partition)
      return forwardRowsTo(forwarder, endpoint, request, partitions)
    }),
  )
  const away = new Set(answers.flat().flatMap(({ status, found }) => (isAway(status) ? [found.partition] : [])))
  const rest = places.filter(([partition, endpoints]) => away.has(partition) && endpoints.length > 1)
  if (rest.length === 0) return answers.flat()
  const again = new Set(rest.map(([partition]) => partition))
  const others = await forwardRows(
    forwarder,
    request,
    rest.map(([partition, [, ...endpoints]]) => [partition, endpoints] as const),
  )
  return [...answers.flat().filter(({ found }) => !again.has(found.partition)), ...others]
}

/** Another process's partitions; each told as failed when it does not answer. */
async function forwardRowsTo(
  forwarder: Forwarder,
  endpoint: string,
  request: HttpRequest,
  partitions: readonly number[],
): Promise<readonly Answered[]> {
  const { status, body } = await forwarder.forward(endpoint, request)
  const parsed = JSON.parse(String(body)) as {
    partitions?: readonly PartitionAnswer[]
    error?: string
    message?: string
  }
  const answered = parsed.partitions?.filter(({ partition }) => partitions.includes(partition)) ?? []
  const missing = partitions.filter((one) => !answered.some(({ partition }) => partition === one))
  const { error = "NOT_PRESENT", message = `${endpoint} answered ${status}` } = parsed
  return [
    ...answered.map((found) => ({ status: found["error"] === undefined ? status : statusOf(found["error"]), found })),
    ...missing.map((partition) => ({
      status: parsed.error === undefined ? STATUS.NOT_PRESENT : status,
      found: { partition, error, message },
    })),
  ]
}

const partitionAnswer = (partition: number, result: PartitionResult<any>): Answered =>
  result.ok
    ? { status: 200, found: { partition, ...seenBy(result), ...result.result } }
    : { status: STATUS[result.reason], found: { partition, error: result.reason, message: result.message } }

/** How far what answered has come. */
const seenBy = ({ position, lag, seenAt }: PartitionResult<any> & { readonly ok: true }) => ({
  position,
  ...(lag !== undefined && { lag, seenAt }),
})

/** Who is asked, in this order; nobody: it is answered here, well or badly. */
function endpointsElsewhere(
  queries: ProcessQueries,
  info: StoreInfo,
  partition: number,
  { allowStale }: QueryOptions,
): readonly string[] {
  const endpoint = queries.endpointOf(info, partition)
  const copies = allowStale === true ? queries.standbyEndpointsOf(info, partition) : []
  return endpoint === undefined ? copies : [endpoint, ...copies]
}

/** This process alone is to answer. */
const isLocal = (query: URLSearchParams): boolean => query.get("local") === "true"

function optionsIn(query: URLSearchParams): QueryOptions {
  const bound = query.get("bound")
  const isolation = query.get("isolation") ?? "read_committed"
  if (isolation !== "read_committed" && isolation !== "read_uncommitted") {
    throw new PipelineError(`isolation ${isolation}: read_committed or read_uncommitted`)
  }
  const allowStale = query.get("allowStale") ?? "false"
  if (allowStale !== "true" && allowStale !== "false")
    throw new PipelineError(`allowStale ${allowStale}: true or false`)
  return { isolation, allowStale: allowStale === "true", ...(bound !== null && { bound: parsePosition(bound) }) }
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new PipelineError(`${name} ${text}: expected a whole number`)
  return Number(text)
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

function timeIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || /^\d{1,15}$/.test(text)) return numberIn(query, name)
  // An offset's plus that was not escaped comes as a space.
  const instant = text.replace(" ", "+")
  // oxlint-disable-next-line no-restricted-globals -- a time of the user's, with its zone
  const time = INSTANT.test(instant) ? Date.parse(instant) : Number.NaN
  if (Number.isNaN(time)) {
    const expected = `milliseconds of the epoch, or an instant with its time zone such as 2026-03-01T12:00:00Z`
    throw new PipelineError(`${name} ${text}: expected ${expected}`)
  }
  return time
}

const allOf = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
