/**
 * Under which subject of a registry the schema of a topic's key or value is registered.
 */
export interface SubjectContext {
  readonly topic: string
  readonly isKey: boolean
  /** The full name of an Avro record, the title of a JSON schema. */
  readonly recordName: string | undefined
}

export type SubjectNameStrategy = (context: SubjectContext) => string

/** `orders-key`, `orders-value`: one schema a topic. The default. */
export const topicName: SubjectNameStrategy = ({ topic, isKey }) => `${topic}-${isKey ? "key" : "value"}`

/** `shop.Order`: one schema a type, whatever the topic. */
export const recordName: SubjectNameStrategy = (context) => nameIn(context, "recordName")

/** `orders-shop.Order`: several types in one topic, each with its own history there. */
export const topicRecordName: SubjectNameStrategy = (context) =>
  `${context.topic}-${nameIn(context, "topicRecordName")}`

function nameIn({ topic, recordName }: SubjectContext, strategy: string): string {
  if (recordName !== undefined) return recordName
  throw new TypeError(`the subject name strategy ${strategy} needs a schema with a name; the one for ${topic} has none`)
}
