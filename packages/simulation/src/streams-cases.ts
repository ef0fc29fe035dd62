/**
 * The acceptance matrix of exactly-once: what others have got wrong, each as a case that strikes one application again and
 * again at the step it is about. The checks are those of any run of the streams suite.
 */
import { KafkaClient } from "@millrace/client"
import { decodeRequest, ErrorCode } from "@millrace/protocol"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { Produce } from "@millrace/protocol/messages/produce"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import type { SeededRandom } from "./random.ts"
import type { Verdict, WireRequest } from "./wire.ts"
import type { Application, Settings } from "./workload/application.ts"
import { TOPICS, type Trouble, type Variant } from "./workload/pipeline.ts"
import { BROKER_ADDRESS, type World } from "./world.ts"

/** What a case may act on. */
export interface Field {
  readonly world: World
  readonly random: SeededRandom
  /** It is struck. */
  readonly victim: Application
  readonly other: Application
  readonly trouble: Trouble
  until(holds: () => boolean, ms: number): Promise<boolean>
}

export interface StreamsCase {
  readonly name: string
  readonly variant?: Partial<Variant>
  readonly settings?: Partial<Settings>
  /** Of the input, what the filter takes out. */
  readonly noiseChance?: number
  strike(field: Field): Promise<void>
}

const STRIKE_MS_MAX = 3_000
/** Longer than a session, and than the shorter transaction timeout. */
const ISOLATION_MS = [1_600, 4_000] as const
const BURST = 5
const [PRODUCE, TXN_OFFSET_COMMIT, END_TXN] = [Produce.key, TxnOffsetCommit.key, EndTxn.key]
const RETRIABLE = [
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS,
] as const

const isCommit = ({ api, frame }: WireRequest) => api === END_TXN && decodeRequest(EndTxn, frame).body.committed
const endTxnAnswer = (errorCode: number) => ({ api: EndTxn, body: { errorCode } })

/** Does this with the next `times` requests that match; all others pass. Waits until they came. */
async function next(
  field: Field,
  matches: (request: WireRequest) => boolean,
  act: (request: WireRequest) => Verdict,
  times = 1,
): Promise<void> {
  let left = times
  field.victim.plan = (request) => (left > 0 && matches(request) && left-- > 0 ? act(request) : "pass")
  await field.until(() => left === 0, STRIKE_MS_MAX)
  field.victim.plan = undefined
}

const isApi =
  (api: number) =>
  (request: WireRequest): boolean =>
    request.api === api

/** The request leaves, and then the process dies. */
function dieSoon({ world, victim }: Field): Verdict {
  world.scheduler.schedule(0, "case kill", () => victim.kill())
  return "pass"
}

function die({ victim }: Field): Verdict {
  victim.kill()
  return "drop"
}

/** The request is held back until others have taken over, and arrives then. */
async function holdAt(field: Field, matches: (request: WireRequest) => boolean): Promise<void> {
  const { world, random, victim, other } = field
  if (!other.isUp) other.start()
  await next(field, matches, () => {
    world.network.isolate(victim.name)
    return "pass"
  })
  await field.until(() => false, random.between(...ISOLATION_MS))
  world.network.heal()
}

/** Another producer takes the transactional id over. */
function impersonate({ world }: Field, transactionalId: string): void {
  const process = world.machine("impostor").start()
  world.spawn(process, async () => {
    const client = new KafkaClient({ host: process, brokers: BROKER_ADDRESS, clientId: "impostor" })
    const producer = client.producer({ transactionalId })
    // The broker may be away; then nobody is fenced this time.
    await producer.initTransactions().catch(() => {})
    await producer.close().catch(() => {})
    await client.close()
  })
}

const killCases: readonly StreamsCase[] = [
  {
    name: "killed before anything is sent",
    strike: (field) => next(field, isApi(PRODUCE), () => die(field)),
  },
  {
    name: "killed after sending, before the acknowledgement",
    strike: (field) => next(field, isApi(PRODUCE), () => dieSoon(field)),
  },
  {
    name: "killed after the offsets were sent",
    strike: (field) => next(field, isApi(TXN_OFFSET_COMMIT), () => ({ received: () => field.victim.kill() })),
  },
  {
    name: "killed when EndTxn was sent, before its answer",
    strike: (field) => next(field, isCommit, () => dieSoon(field)),
  },
  {
    name: "design rule 2: killed after the commit, before the stores have it",
    strike: (field) => next(field, isCommit, () => ({ received: () => field.victim.kill() })),
  },
]

const endTxnCases: readonly StreamsCase[] = [
  {
    name: "EndTxn fails once",
    strike: (field) => next(field, isCommit, () => ({ answer: endTxnAnswer(field.random.pick(RETRIABLE)) })),
  },
  {
    name: "EndTxn fails three times out of ten",
    async strike(field) {
      const { random, victim } = field
      victim.plan = (request) =>
        isCommit(request) && random.chance(0.3) ? { answer: endTxnAnswer(random.pick(RETRIABLE)) } : "pass"
      await field.until(() => false, STRIKE_MS_MAX)
      victim.plan = undefined
    },
  },
  {
    name: "EndTxn fails five times in a row",
    strike: (field) => next(field, isCommit, () => ({ answer: endTxnAnswer(field.random.pick(RETRIABLE)) }), BURST),
  },
  {
    name: "EndTxn is committed and answered by a retriable error",
    strike: (field) => next(field, isCommit, () => ({ replace: endTxnAnswer(field.random.pick(RETRIABLE)) })),
  },
  {
    name: "rule 6, design rule 3: the answer to EndTxn is lost",
    strike: (field) => next(field, isCommit, () => "reset"),
  },
  {
    name: "rule 6: PRODUCER_FENCED though committed",
    strike: (field) => next(field, isCommit, () => ({ replace: endTxnAnswer(ErrorCode.PRODUCER_FENCED) })),
  },
  {
    name: "INVALID_PRODUCER_EPOCH though committed",
    strike: (field) => next(field, isCommit, () => ({ replace: endTxnAnswer(ErrorCode.INVALID_PRODUCER_EPOCH) })),
  },
  {
    name: "PRODUCER_FENCED at the retry of a commit whose answer was lost",
    async strike(field) {
      let count = 0
      const act = (): Verdict => (count++ === 0 ? "reset" : { answer: endTxnAnswer(ErrorCode.PRODUCER_FENCED) })
      await next(field, isCommit, act, 2)
    },
  },
  {
    name: "TRANSACTION_ABORTABLE instead of a commit",
    strike: (field) => next(field, isCommit, () => ({ answer: endTxnAnswer(ErrorCode.TRANSACTION_ABORTABLE) })),
  },
]

const groupCases: readonly StreamsCase[] = [
  {
    name: "rule 7: a cooperative rebalance while a transaction is open",
    async strike(field) {
      const { other } = field
      await next(field, isApi(PRODUCE), () => {
        if (other.isUp) other.close()
        else other.start()
        return "pass"
      })
    },
  },
  {
    name: "rule 7: everything is lost while a transaction is open, as in an eager rebalance",
    strike: (field) => holdAt(field, isApi(PRODUCE)),
  },
  {
    name: "a sink slower than session, poll interval and transaction",
    settings: { transactionTimeoutMs: 500, commitIntervalMs: 400 },
    variant: { hasEffects: true },
    strike: (field) => holdAt(field, isApi(PRODUCE)),
  },
  {
    name: "a stale generation sends its offsets",
    strike: (field) => holdAt(field, isApi(TXN_OFFSET_COMMIT)),
  },
  {
    name: "a zombie's EndTxn arrives when its tasks have moved",
    strike: (field) => holdAt(field, isCommit),
  },
  {
    name: "a second instance with the same id fences before the commit",
    strike: (field) =>
      next(field, isCommit, ({ frame }) => {
        impersonate(field, decodeRequest(EndTxn, frame).body.transactionalId)
        return "pass"
      }),
  },
  {
    name: "fenced while effects are under way: what they emit late is nobody's",
    variant: { hasEffects: true, hasRx: true },
    settings: { commitIntervalMs: 400 },
    strike: (field) =>
      next(field, isApi(PRODUCE), ({ frame }) => {
        const { transactionalId } = decodeRequest(Produce, frame).body
        if (transactionalId !== null) impersonate(field, transactionalId)
        return "pass"
      }),
  },
  {
    name: "ended in order in the middle of a transaction, subscriptions and all",
    variant: { hasRx: true },
    strike: (field) =>
      next(field, isApi(PRODUCE), () => {
        field.victim.close()
        return "pass"
      }),
  },
]

const trouble = (what: keyof Trouble) => async (field: Field) => {
  field.trouble[what]++
  await field.until(() => field.trouble[what] === 0, STRIKE_MS_MAX)
  field.trouble[what] = 0
}

const failureCases: readonly StreamsCase[] = [
  { name: "a source's serde throws", strike: trouble("source") },
  { name: "an operator throws", strike: trouble("operator") },
  { name: "a sink's serde throws", strike: trouble("sink") },
  {
    name: "rule 3: transactions of nothing but offsets: the filter takes nearly everything out",
    noiseChance: 0.95,
    strike: (field) => next(field, isCommit, () => ({ received: () => field.victim.kill() })),
  },
]

/** The transaction in which a partition is found to be idle, or one while it is. */
const tellsIdle = ({ api, frame }: WireRequest) =>
  api === TXN_OFFSET_COMMIT &&
  decodeRequest(TxnOffsetCommit, frame).body.topics.some(({ partitions }) =>
    partitions.some(({ committedMetadata }) => committedMetadata?.includes(`"${TOPICS.events}/idle-at":0`)),
  )

/** What no other output has. */
const closesWindows = ({ api, frame }: WireRequest) => api === PRODUCE && Buffer.from(frame).includes('"ids":[')

const idleCases: readonly StreamsCase[] = [
  {
    name: "killed when a partition is idle, before that is committed",
    variant: { idleAfterMs: 300 },
    strike: (field) => next(field, tellsIdle, () => (field.random.chance(0.5) ? die(field) : dieSoon(field))),
  },
  {
    name: "killed when it is committed that a partition is idle",
    variant: { idleAfterMs: 700 },
    async strike(field) {
      await next(field, tellsIdle, () => "pass")
      await next(field, isCommit, () => ({ received: () => field.victim.kill() }))
    },
  },
  {
    name: "aborted while windows close by the wall clock",
    variant: { idleAfterMs: 300 },
    async strike(field) {
      // Alone it has the tasks of all windows.
      field.other.close()
      await next(field, closesWindows, () => "pass")
      await next(field, isCommit, () => ({ answer: endTxnAnswer(ErrorCode.TRANSACTION_ABORTABLE) }))
    },
  },
]

export const CASES: readonly StreamsCase[] = [
  ...killCases,
  ...endTxnCases,
  ...groupCases,
  ...failureCases,
  ...idleCases,
]
