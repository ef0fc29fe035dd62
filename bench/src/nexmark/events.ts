/**
 * The events of Nexmark, and where the queries read them: one topic of JSON, with the columns of nexmark's own Kafka table,
 * times as milliseconds of the epoch.
 */
import { json, none } from "@millrace/schema"
import * as S from "@millrace/streams"

export interface Person {
  readonly id: number
  readonly name: string
  readonly emailAddress: string
  readonly creditCard: string
  readonly city: string
  readonly state: string
  readonly dateTime: number
  readonly extra: string
}

export interface Auction {
  readonly id: number
  readonly itemName: string
  readonly description: string
  readonly initialBid: number
  readonly reserve: number
  readonly dateTime: number
  readonly expires: number
  readonly seller: number
  readonly category: number
  readonly extra: string
}

export interface Bid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly url: string
  readonly dateTime: number
  readonly extra: string
}

export const PERSON = 0
export const AUCTION = 1
export const BID = 2

/** One of the three is there: the one that `event_type` says. */
export interface Event {
  readonly event_type: typeof PERSON | typeof AUCTION | typeof BID
  readonly person: Person | null
  readonly auction: Auction | null
  readonly bid: Bid | null
}

export type Events = S.Stream<null, Event>

/** All events of a topic. */
export const eventsOf = (topic: string, options?: S.SourceOptions<null, Event>): Events =>
  S.stream(S.topic(topic, { key: none, value: json<Event>() }), options)

/** The views of the three kinds. */
export const personsOf = (events: Events): S.Stream<null, Person> =>
  events.pipe(
    S.filter(({ event_type }) => event_type === PERSON),
    S.map(({ person }) => person!),
  )

export const auctionsOf = (events: Events): S.Stream<null, Auction> =>
  events.pipe(
    S.filter(({ event_type }) => event_type === AUCTION),
    S.map(({ auction }) => auction!),
  )

export const bidsOf = (events: Events): S.Stream<null, Bid> =>
  events.pipe(
    S.filter(({ event_type }) => event_type === BID),
    S.map(({ bid }) => bid!),
  )
