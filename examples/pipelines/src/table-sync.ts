/**
 * A table of a database, kept in step: change events as Debezium writes them go in, the rows as they are now come out, keyed
 * by id and compacted, so that who reads the topic from the start has the table. Beside it the number of users by country
 * is kept: a user who moves is taken out of one and put into the other.
 *
 *   npm exec millrace -- run examples/pipelines/src/table-sync.ts
 */
import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"

export interface User {
  readonly id: number
  readonly country: string
}
/** What Debezium says of a change: the row before and after it, and whether it was created, read, updated or deleted. */
export interface ChangeEvent {
  readonly op: "c" | "r" | "u" | "d"
  readonly before: User | null
  readonly after: User | null
}

export const Changes = S.topic("db.public.users", { key: string, value: json<ChangeEvent>() })
export const Users = S.topic("users", { key: string, value: json<User>() })
export const Countries = S.topic("users-by-country", { key: string, value: json<number>() })

export default S.pipeline("table-sync", () => {
  const users = S.stream(Changes).pipe(
    // The row's id is in the event; the key of the topic is what the connector made of it.
    S.mapRecord(({ value }) => ({ key: String((value.after ?? value.before)!.id), value: value.after })),
    S.toTable("users"),
  )
  return [
    users.pipe(S.toStream(), S.to(Users)),
    users.pipe(
      S.keyBy((user) => user.country),
      S.count("users-by-country"),
      S.toStream(),
      S.to(Countries),
    ),
  ]
})
