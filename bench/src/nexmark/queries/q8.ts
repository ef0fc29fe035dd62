/**
 * q8, monitor new users: who came and opened an auction in the same 10 seconds.
 */
import { int64, json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { auctionsOf, type Events, personsOf } from "../events.ts"

export interface Q8 {
  readonly id: number
  readonly name: string
  readonly starttime: number
}

interface Seen {
  readonly name?: string
  readonly sells: boolean
}

export function q8(events: Events, output: string) {
  const people = personsOf(events).pipe(
    S.map(({ id, name }) => ({ id, name })),
    S.keyBy(({ id }) => id, { key: int64 }),
  )
  const sellers = auctionsOf(events).pipe(
    S.map(({ seller }) => seller),
    S.keyBy((seller) => seller, { key: int64 }),
  )
  return S.cogroup("new-users", { people, sellers }).pipe(
    S.window(S.tumbling("10 seconds", { grace: "4 seconds", emit: "on-window-close" })),
    S.aggregate("seen", {
      init: (): Seen => ({ sells: false }),
      add: {
        people: (seen, { name }) => ({ ...seen, name }),
        sellers: (seen) => ({ ...seen, sells: true }),
      },
    }),
    S.toStream(),
    S.filter(({ name, sells }) => sells && name !== undefined),
    S.mapRecord(({ key: { key: id, start }, value: { name } }) => ({
      key: `${id} ${start}`,
      value: { id, name: name!, starttime: start },
    })),
    S.to(S.topic(output, { key: string, value: json<Q8>() })),
  )
}
