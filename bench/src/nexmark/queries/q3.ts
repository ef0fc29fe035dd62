/**
 * q3, local item suggestion: who sells in Oregon, Idaho or California in category 10, and in which auctions.
 *
 * An auction may come before its seller does: both are tables, and a row of either brings what it completes.
 */
import { int64, json } from "@millrace/schema"
import * as S from "@millrace/streams"
import { auctionsOf, type Events, personsOf } from "../events.ts"

export interface Q3 {
  readonly name: string
  readonly city: string
  readonly state: string
  readonly id: number
}

const STATES = ["OR", "ID", "CA"]

export function q3(events: Events, output: string) {
  const people = personsOf(events).pipe(
    S.filter(({ state }) => STATES.includes(state)),
    S.map(({ id, name, city, state }) => ({ id, name, city, state })),
    S.keyBy(({ id }) => id, { key: int64 }),
    S.toTable("people"),
  )
  return auctionsOf(events).pipe(
    S.filter(({ category }) => category === 10),
    S.map(({ id, seller }) => ({ id, seller })),
    S.keyBy(({ id }) => id, { key: int64 }),
    S.toTable("auctions"),
    S.joinForeignKey(
      "sellers",
      people,
      ({ seller }) => seller,
      ({ id }, { name, city, state }): Q3 => ({ name, city, state, id }),
    ),
    S.toStream(),
    S.to(S.topic(output, { key: int64, value: json<Q3>() })),
  )
}
