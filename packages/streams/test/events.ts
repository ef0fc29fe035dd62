/** What the pipelines of the commit-boundary property read and write. */
import { json, string } from "@millrace/schema"
import * as S from "../src/index.ts"

/** With the stores whose content is compared. */
export type Pipelines = ReadonlyArray<readonly [name: string, build: () => any, stores: readonly string[]]>

export interface Event {
  readonly id: number
  readonly group: string
  readonly amount: number
}

export const Events = S.topic("events", { key: string, value: json<Event>() })
export const Rows = S.topic("rows", { key: string, value: json<{ label: string }>() })
export const Out = S.topic("out", { key: string, value: json<any>() })
export const Other = S.topic("other", { key: string, value: json<any>() })

export const flat = S.mapRecord(({ key, value }: S.Rec<S.Windowed<string>, unknown>) => ({
  key: `${key.key}@${key.start}`,
  value,
}))

/** Changes its list in place, and deletes it when it is longer than three. */
export const inPlace = {
  init: (): number[] => [],
  add(list: number[], event: Event): number[] {
    list.push(event.amount)
    return list.length > 3 ? (null as never) : list
  },
}
