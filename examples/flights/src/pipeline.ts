/**
 * The main job's pipeline: flights joined with their origin airport, and delays counted per airport and hour.
 *
 * Flights arrive keyed by nothing; `keyBy` sends them through a repartition topic to the partition that holds their
 * airport's row. The file is three months of 2001 and its partitions advance unevenly, so the grace period covers all
 * of it: no flight is ever late.
 */
import { avro, string } from "@millrace/schema"
import * as S from "@millrace/streams"
import { Schema } from "effect"

export class Flight extends Schema.Class<Flight>("Flight")({
  date: Schema.String,
  delay: Schema.Int,
  distance: Schema.Int,
  origin: Schema.String,
  destination: Schema.String,
}) {}

export class Airport extends Schema.Class<Airport>("Airport")({
  iata: Schema.String,
  name: Schema.String,
  city: Schema.String,
  state: Schema.String,
  country: Schema.String,
  latitude: Schema.Number,
  longitude: Schema.Number,
}) {}

/** Delays of the flights that left one airport within one hour. */
export class HourlyDelays extends Schema.Class<HourlyDelays>("HourlyDelays")({
  airport: Schema.String,
  /** Start of the hour, milliseconds since the epoch. */
  hour: Schema.Number,
  name: Schema.String,
  city: Schema.String,
  flights: Schema.Int,
  /** Flights more than fifteen minutes late. */
  late: Schema.Int,
  delay_minutes: Schema.Int,
  worst_minutes: Schema.Int,
}) {}

export const Flights = S.topic("flights", { key: string, value: avro(Flight) })
export const Airports = S.topic("airports", { key: string, value: avro(Airport) })
export const Delays = S.topic("flight-delays", { key: string, value: avro(HourlyDelays) })

const LATE_MINUTES = 15

interface Tally {
  readonly name: string
  readonly city: string
  readonly flights: number
  readonly late: number
  readonly delay: number
  readonly worst: number
}

const nothing = (): Tally => ({ name: "", city: "", flights: 0, late: 0, delay: 0, worst: 0 })

export default S.pipeline("flight-delays", () =>
  S.stream(Flights).pipe(
    S.keyBy((flight) => flight.origin, { key: string }),
    S.joinTable("airport", S.table(Airports), (flight, airport) => ({
      delay: flight.delay,
      name: airport.name,
      city: airport.city,
    })),
    S.window(S.tumbling("1 hour", { grace: "365 days" })),
    S.aggregate("delays-by-hour", {
      init: nothing,
      add: (tally: Tally, flight): Tally => ({
        name: flight.name,
        city: flight.city,
        flights: tally.flights + 1,
        late: tally.late + (flight.delay > LATE_MINUTES ? 1 : 0),
        delay: tally.delay + Math.max(0, flight.delay),
        worst: Math.max(tally.worst, flight.delay),
      }),
    }),
    S.toStream(),
    S.mapRecord(({ key, value }) => ({
      key: `${key.key} ${key.start}`,
      value: new HourlyDelays({
        airport: key.key,
        hour: key.start,
        name: value.name,
        city: value.city,
        flights: value.flights,
        late: value.late,
        delay_minutes: value.delay,
        worst_minutes: value.worst,
      }),
    })),
    S.to(Delays),
  ),
)
