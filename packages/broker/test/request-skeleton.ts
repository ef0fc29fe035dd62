/** A minimal request of any API and version: every list has one element, names are the ones given. */
import type { Api, Field, Fields } from "@millrace/protocol"

export class RequestSkeleton {
  readonly #name: string
  readonly #topicId: string

  constructor(name: string, topicId: string) {
    this.#name = name
    this.#topicId = topicId
  }

  of(api: Api, version: number): Record<string, unknown> {
    return this.#struct(api.request.fields, version, api.name)
  }

  #struct(fields: Fields, version: number, path: string): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(fields)) {
      if (includes(field.versions, version)) value[name] = this.#value(name, field, version, `${path}.${name}`)
    }
    return value
  }

  #value(name: string, field: Field, version: number, path: string): unknown {
    if (field.tag !== undefined || name === "cursor")
      return field.default ?? (field.nullable ? null : this.#scalar(name, field))
    if (field.type === "struct") return this.#struct(field.fields!, version, path)
    if (field.type === "array") {
      if (
        /^(stateFilters|producerIdFilters|statesFilter|typesFilter|forgottenTopicsData|assignments|configs)$/i.test(
          name,
        )
      ) {
        return []
      }
      if (field.element === "struct") return [this.#struct(field.fields!, version, path)]
      return [this.#scalar(name, { ...field, type: field.element! })]
    }
    return this.#scalar(name, field)
  }

  #scalar(name: string, field: Field): unknown {
    switch (field.type) {
      case "bool":
        return false
      case "string":
        if (/software/i.test(name)) return "test"
        if (/instanceId|transactionalIdPattern|clusterId/i.test(name)) return field.nullable ? null : this.#name
        return this.#name
      case "uuid":
        return this.#topicId
      case "bytes":
      case "records":
        return new Uint8Array(0)
      case "int64":
        return 0
      default:
        if (/resourceType/i.test(name)) return 2
        if (name === "nodeId") return -1
        if (/endpointType/.test(name)) return 1
        if (name === "acks") return 1
        if (/currentLeaderEpoch|generation|numPartitions|replicationFactor/i.test(name)) return -1
        return 0
    }
  }
}

function includes(versions: string, version: number): boolean {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(versions)
  if (!match) return false
  const min = Number(match[1])
  const max = match[2] ? Infinity : Number(match[3] ?? match[1])
  return version >= min && version <= max
}
