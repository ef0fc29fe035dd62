/**
 * Nexmark's generator: of 50 events one is a person, 3 are auctions, 46 are bids, of which half are on a hot auction and
 * three quarters by a hot bidder.
 *
 * Event number n depends on the seed and n alone, so that any part of the input can be made anywhere, and what must come
 * out of a query can be computed without reading a topic. nexmark's own draws from one generator without a seed, and
 * adds the first person's id twice to a bidder; here bidders are people.
 * Ids, ratios, lengths and prices are those of its configuration; so is the rate by which event time goes unless another is
 * given.
 */
import { AUCTION, type Auction, type Bid, BID, type Event, PERSON, type Person } from "./events.ts"

const SEED = 1
/** Beam's: 2015-07-15. */
export const BASE_TIME_MS = Date.UTC(2015, 6, 15)
const EVENTS_PER_SECOND = 10_000

/** Whole cycles, so that every partition has events of all kinds. */
export const partitionOf = (n: number, partitions: number): number => Math.floor(n / CYCLE) % partitions

export interface Generator {
  eventAt(n: number): Event
  timeOf(n: number): number
}

type TimeOf = Generator["timeOf"]

const PERSONS = 1
const AUCTIONS = 3
const CYCLE = 50

const FIRST_ID = 1_000
const FIRST_CATEGORY = 10
const CATEGORIES = 5
/** The first of so many auctions or people is the hot one. */
const HOT_EVERY = 100
const HOT_AUCTION_RATIO = 2
const HOT_SELLER_RATIO = 4
const HOT_BIDDER_RATIO = 4
const AUCTIONS_IN_FLIGHT = 100
const PEOPLE_ACTIVE = 1_000
/** Ids that are not there yet may be drawn: an event may come before the one it refers to. */
const ID_LEAD = 10

const PERSON_BYTES = 200
const AUCTION_BYTES = 500
const BID_BYTES = 100

const STATES = ["AZ", "CA", "ID", "OR", "WA", "WY"]
const CITIES = [
  "Phoenix",
  "Los Angeles",
  "San Francisco",
  "Boise",
  "Portland",
  "Bend",
  "Redmond",
  "Seattle",
  "Kent",
  "Cheyenne",
]
const FIRST_NAMES = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"]
const LAST_NAMES = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"]
const HOT_CHANNELS = ["Google", "Facebook", "Baidu", "Apple"]
const CHANNELS = 10_000

/** Numbers of one event. */
class Random {
  #state: number

  constructor(seed: number, n: number) {
    this.#state = mixed(mixed(seed) ^ n)
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    return mixed(this.#state)
  }

  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit)
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  price(): number {
    return Math.round(10 ** ((this.#next() / 2 ** 32) * 6) * 100)
  }

  /** At least 3 characters, fewer than `limit`. */
  text(limit: number, special = " "): string {
    let text = ""
    for (let left = 3 + this.below(limit - 3); left > 0; left--)
      text += this.below(13) === 0 ? special : String.fromCharCode(97 + this.below(26))
    return text.trim()
  }

  /** So much that the event has its length on average. */
  extra(before: number, average: number): string {
    if (before > average) return ""
    const spread = Math.round((average - before) * 0.2)
    const length = average - before - spread + (spread === 0 ? 0 : this.below(2 * spread))
    const at = this.below(EXTRA.length - length)
    return EXTRA.slice(at, at + length)
  }
}

function mixed(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}

/** Made once: what is drawn for them is no event's. */
const shared = new Random(SEED, -1)
const EXTRA = Array.from({ length: 1 << 20 }, () => String.fromCharCode(97 + shared.below(26))).join("")
const baseUrl = () =>
  `https://www.nexmark.com/${shared.text(5, "_")}/${shared.text(5, "_")}/${shared.text(5, "_")}/item.htm?query=1`
const HOT_URLS = HOT_CHANNELS.map(baseUrl)
const URLS = Array.from({ length: CHANNELS }, (_, channel) =>
  shared.below(10) > 0 ? `${baseUrl()}&channel_id=${channel * 214_013}` : baseUrl(),
)

/** Counted from 0: the latest person, or auction, at event n, its own included. */
const lastPerson = (n: number): number => Math.floor(n / CYCLE) * PERSONS + Math.min(n % CYCLE, PERSONS - 1)

function lastAuction(n: number): number {
  const cycle = Math.floor(n / CYCLE)
  const at = n % CYCLE
  if (at < PERSONS) return cycle * AUCTIONS - 1
  return cycle * AUCTIONS + Math.min(at - PERSONS, AUCTIONS - 1)
}

function activePerson(n: number, random: Random): number {
  const people = lastPerson(n) + 1
  const active = Math.min(people, PEOPLE_ACTIVE)
  return people - active + random.below(active + ID_LEAD)
}

const hot = (last: number): number => Math.floor(last / HOT_EVERY) * HOT_EVERY

export function generator(eventsPerSecond = EVENTS_PER_SECOND): Generator {
  const timeOf: TimeOf = (n) => BASE_TIME_MS + Math.floor((n * 1_000) / eventsPerSecond)
  return { timeOf, eventAt: (n) => eventAt(n, timeOf) }
}

function eventAt(n: number, timeOf: TimeOf): Event {
  const random = new Random(SEED, n)
  const at = n % CYCLE
  if (at < PERSONS) return { event_type: PERSON, person: personAt(n, random, timeOf), auction: null, bid: null }
  if (at < PERSONS + AUCTIONS)
    return { event_type: AUCTION, person: null, auction: auctionAt(n, random, timeOf), bid: null }
  return { event_type: BID, person: null, auction: null, bid: bidAt(n, random, timeOf) }
}

function personAt(n: number, random: Random, timeOf: TimeOf): Person {
  const name = `${random.one(FIRST_NAMES)} ${random.one(LAST_NAMES)}`
  const emailAddress = `${random.text(7)}@${random.text(5)}.com`
  const creditCard = Array.from({ length: 4 }, () => String(random.below(10_000)).padStart(4, "0")).join(" ")
  const city = random.one(CITIES)
  const state = random.one(STATES)
  const bytes = 8 + name.length + emailAddress.length + creditCard.length + city.length + state.length
  const extra = random.extra(bytes, PERSON_BYTES)
  return { id: FIRST_ID + lastPerson(n), name, emailAddress, creditCard, city, state, dateTime: timeOf(n), extra }
}

function auctionAt(n: number, random: Random, timeOf: TimeOf): Auction {
  const dateTime = timeOf(n)
  const seller = random.below(HOT_SELLER_RATIO) > 0 ? hot(lastPerson(n)) : activePerson(n, random)
  const category = FIRST_CATEGORY + random.below(CATEGORIES)
  const initialBid = random.price()
  const horizonMs = timeOf(n + Math.floor((AUCTIONS_IN_FLIGHT * CYCLE) / AUCTIONS)) - dateTime
  const expires = dateTime + 1 + random.below(Math.max(horizonMs * 2, 1))
  const itemName = random.text(20)
  const description = random.text(100)
  const reserve = initialBid + random.price()
  const extra = random.extra(8 + itemName.length + description.length + 5 * 8, AUCTION_BYTES)
  return {
    id: FIRST_ID + lastAuction(n),
    itemName,
    description,
    initialBid,
    reserve,
    dateTime,
    expires,
    seller: FIRST_ID + seller,
    category,
    extra,
  }
}

function bidAt(n: number, random: Random, timeOf: TimeOf): Bid {
  const last = lastAuction(n)
  const least = Math.max(last - AUCTIONS_IN_FLIGHT, 0)
  const auction = random.below(HOT_AUCTION_RATIO) > 0 ? hot(last) : least + random.below(last - least + 1 + ID_LEAD)
  // The second of them, so that hot bidders are not hot sellers.
  const bidder = random.below(HOT_BIDDER_RATIO) > 0 ? hot(lastPerson(n)) + 1 : activePerson(n, random)
  const price = random.price()
  const isHot = random.below(2) > 0
  const channel = random.below(isHot ? HOT_CHANNELS.length : CHANNELS)
  return {
    auction: FIRST_ID + auction,
    bidder: FIRST_ID + bidder,
    price,
    channel: isHot ? HOT_CHANNELS[channel]! : `channel-${channel}`,
    url: isHot ? HOT_URLS[channel]! : URLS[channel]!,
    dateTime: timeOf(n),
    extra: random.extra(4 * 8, BID_BYTES),
  }
}
