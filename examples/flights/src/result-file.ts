/**
 * The file that the sink connector fills, read while and after it does.
 */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import type { Counts } from "./expected.ts"

export interface WorstAirport {
  readonly airport: string
  readonly name: string
  readonly city: string
  readonly flights: number
  readonly late: number
  readonly average: number
  readonly worst: number
}

function query<Row>(file: string, sql: string, ...values: (string | number)[]): Row[] {
  if (!existsSync(file)) return []
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    return database.prepare(sql).all(...values) as Row[]
  } catch (error) {
    if (/no such table/.test((error as Error).message)) return []
    throw error
  } finally {
    database.close()
  }
}

export function resultCounts(file: string): Counts {
  const rows = query<{ airport: string; hour: number; flights: number }>(
    file,
    `select airport, hour, flights from "flight-delays"`,
  )
  return new Map(rows.map(({ airport, hour, flights }) => [`${airport} ${hour}`, flights]))
}

export function countedFlights(file: string): number {
  return query<{ total: number | null }>(file, `select sum(flights) as total from "flight-delays"`)[0]?.total ?? 0
}

/** The airports where a flight was latest on average, among those with enough flights to tell. */
export function worstAirports(file: string, limit: number, flightsMin: number): WorstAirport[] {
  return query<WorstAirport>(
    file,
    `select airport, max(name) as name, max(city) as city, sum(flights) as flights, sum(late) as late,
            round(1.0 * sum(delay_minutes) / sum(flights), 1) as average, max(worst_minutes) as worst
     from "flight-delays" group by airport having sum(flights) >= ? order by average desc limit ?`,
    flightsMin,
    limit,
  )
}
