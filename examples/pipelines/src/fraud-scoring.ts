/**
 * Payments are scored by an HTTP service, many at a time, inside the transaction: results keep the order of the input, a
 * payment that the service cannot score is put aside with it, and a commit waits for the calls under way.
 *
 * A call may be made more than once, as a transaction may be aborted: the service is told by the key when it is the same one.
 *
 *   FRAUD_URL=http://127.0.0.1:8000/score npm exec millrace -- run examples/pipelines/src/fraud-scoring.ts
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Effect, Schedule } from "effect"

export interface Payment {
  readonly card: string
  readonly cents: number
}
export interface ScoredPayment extends Payment {
  readonly score: number
}

export const Payments = S.topic("payments", { key: string, value: json<Payment>() })
export const Approved = S.topic("payments-approved", { key: string, value: json<ScoredPayment>() })
export const Suspicious = S.topic("payments-suspicious", { key: string, value: json<ScoredPayment>() })
export const Unscored = S.topic("payments-unscored", { key: string, value: json<Payment>() })

const SUSPICIOUS_FROM = 0.8

/** The service is busy: worth another try. What it refuses for good is not. */
type Failure = "busy" | "refused"

const score = (url: string, payment: Payment, idempotencyKey: string): Effect.Effect<ScoredPayment, Failure> =>
  Effect.tryPromise({
    try: async (signal) => {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
        body: JSON.stringify(payment),
        signal,
      })
      if (!answer.ok) throw new Error(answer.status < 500 ? "refused" : "busy")
      const { score } = (await answer.json()) as { score: number }
      return { ...payment, score }
    },
    catch: (cause): Failure => (cause instanceof Error && cause.message === "refused" ? "refused" : "busy"),
  }).pipe(
    // For as long as the operator's timeout lets it.
    Effect.retry({ schedule: Schedule.exponential("50 millis"), while: (failure) => failure === "busy" }),
  )

const url = () => process.env["FRAUD_URL"] ?? "http://127.0.0.1:8000/score"

export default S.pipeline("fraud-scoring", () => {
  const { suspicious, approved } = S.stream(Payments).pipe(
    S.mapEffect((payment, { idempotencyKey }) => score(url(), payment, idempotencyKey), {
      name: "score",
      concurrency: 32,
      timeout: "3 seconds",
      onFailure: (failure) => (failure === "refused" ? { deadLetter: Unscored } : "fail"),
    }),
    S.branch({ suspicious: ({ score }) => score >= SUSPICIOUS_FROM, approved: () => true }),
  )
  return [suspicious.pipe(S.to(Suspicious)), approved.pipe(S.to(Approved))]
})
