/**
 * What a process of suites "restore" and "rolling" is told, and what it tells: one line of JSON each, the same for every peer.
 */
export interface Job {
  readonly brokers: string
  /** Also the group's id, and what the changelog's name begins with. */
  readonly application: string
  readonly input: string
  readonly output: string
  /** Where state goes. */
  readonly directory: string
  /** The group.instance.id of Kafka Streams' process, where there are several. */
  readonly instance?: string
  /** Of ours. */
  readonly groupProtocol?: "classic" | "streams"
}

/** Told once all tasks run: changelog records that were read for it, and how long that took. */
export interface Told {
  readonly restored: number
  readonly ms: number
}

export const STORE = "sum-by-key"
export const changelogOf = ({ application }: Job): string => `${application}-${STORE}-changelog`
