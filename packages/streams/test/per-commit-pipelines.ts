/**
 * Pipelines of commit-independence.prop.test.ts that put a transaction's records together: how many come out depends on
 * where transactions end, so that of what is written nothing is compared, and of the state all.
 */
import * as S from "../src/index.ts"
import { Events, flat, inPlace, Out, type Pipelines } from "./events.ts"

const sum = (left: number, right: number) => left + right
const last = <V>(_: V, value: V) => value

export const PER_COMMIT_PIPELINES: Pipelines = [
  [
    "of each key one record per transaction, before a repartition and of a table's changes",
    () =>
      S.stream(Events).pipe(
        S.map(({ group, amount }) => ({ group, amount })),
        S.keyBy(({ group }) => group),
        S.reducePerCommit((left, right) => ({ group: right.group, amount: left.amount + right.amount })),
        S.map(({ amount }) => amount),
        S.reduce("sums", sum),
        S.toStream(),
        S.reducePerCommit(last),
        S.toTable("latest"),
        S.toStream(),
        S.to(Out),
      ),
    ["sums", "latest"],
  ],
  [
    "of each key one record per transaction, of aggregates that are changed in place, and deleted",
    () =>
      S.stream(Events).pipe(
        S.aggregate("lists", inPlace),
        S.toStream(),
        S.reducePerCommit(last),
        S.toTable("last-lists"),
        S.toStream(),
        S.to(Out),
      ),
    ["lists", "last-lists"],
  ],
  [
    "of each window one record per transaction, twice",
    () =>
      S.stream(Events).pipe(
        S.window(S.tumbling(10, { grace: 5 })),
        S.aggregate("totals", { init: () => 0, add: (total, { amount }) => total + amount }),
        S.toStream(),
        S.reducePerCommit(last),
        flat,
        S.reducePerCommit(last),
        S.toTable("last-totals"),
        S.toStream(),
        S.to(Out),
      ),
    ["totals", "last-totals"],
  ],
]

export const PER_COMMIT: ReadonlySet<string> = new Set(PER_COMMIT_PIPELINES.map(([name]) => name))
