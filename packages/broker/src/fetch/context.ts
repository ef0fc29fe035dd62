/**
 * How one fetch stands to sessions: which partitions it reads, and what of its answer is told. Semantics of KIP-227.
 *
 *   session id, epoch     meaning
 *   any, -1               no session; one with this id ends
 *   any, 0                a whole request that asks for a session; one with this id ends
 *   id, its next epoch    goes on with the session
 *
 * Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR.
 */
import { ErrorCode } from "@millrace/protocol"
import type { FetchRequest } from "@millrace/protocol/messages/fetch"
import { type FetchSessionCache, NO_SESSION } from "./session-cache.ts"
import {
  type AnsweredPartition,
  type AskedPartition,
  FINAL_EPOCH,
  type FetchSession,
  INITIAL_EPOCH,
  keyOf,
  nextEpoch,
} from "./session.ts"

export interface SessionAnswer {
  readonly errorCode: number
  readonly sessionId: number
  readonly answered: readonly AnsweredPartition[]
}

export interface FetchContext {
  readonly partitions: readonly AskedPartition[]
  /** Called once, when the answer is sent. */
  answer(answered: readonly AnsweredPartition[], now: number): SessionAnswer
  /** Instead of `answer`, when the client is held back: nothing is told, and the session stays as it is. */
  nothing(): SessionAnswer
}

/** An error code when the session does not fit the request. */
export function fetchContext(
  request: FetchRequest,
  usesTopicIds: boolean,
  sessions: FetchSessionCache,
  now: number,
): FetchContext | number {
  const { sessionId, sessionEpoch, forgottenTopicsData } = request
  const named = request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((asked): AskedPartition => ({ topic, topicId, asked })),
  )
  if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
    sessions.delete(sessionId)
    const create = (answered: readonly AnsweredPartition[], at: number) => sessions.create(answered, usesTopicIds, at)
    return whole(eachOnce(named), sessionEpoch === FINAL_EPOCH ? () => NO_SESSION : create)
  }
  const session = sessions.get(sessionId)
  if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
  if (session.epoch !== sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH
  if (session.usesTopicIds !== usesTopicIds) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
  session.update(named, forgottenTopicsData)
  if (session.size === 0) {
    sessions.delete(sessionId)
    return whole(eachOnce(named), () => NO_SESSION)
  }
  sessions.used(session, now)
  session.epoch = nextEpoch(sessionEpoch)
  return incremental(session, session.epoch)
}

/** What is asked for twice is read once, as it was asked for last. */
function eachOnce(named: readonly AskedPartition[]): readonly AskedPartition[] {
  if (named.length === 1) return named
  return [...new Map(named.map((from) => [keyOf(from, from.asked.partition), from])).values()]
}

function whole(
  partitions: readonly AskedPartition[],
  sessionFor: (answered: readonly AnsweredPartition[], now: number) => number,
): FetchContext {
  return {
    partitions,
    answer: (answered, now) => ({ errorCode: ErrorCode.NONE, sessionId: sessionFor(answered, now), answered }),
    nothing: () => ({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION, answered: [] }),
  }
}

function incremental(session: FetchSession, epoch: number): FetchContext {
  const tell = (answered: () => readonly AnsweredPartition[]): SessionAnswer => {
    // A request that came while this one waited went on with the session: its answer is the one that counts.
    if (session.epoch !== epoch)
      return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: session.id, answered: [] }
    return { errorCode: ErrorCode.NONE, sessionId: session.id, answered: answered() }
  }
  return {
    partitions: session.partitions(),
    answer: (answered) => tell(() => session.answer(answered)),
    nothing: () => tell(() => []),
  }
}
