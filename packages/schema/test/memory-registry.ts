/**
 * The least a registry can be: ids by text, versions by subject.
 */
import type { Registry, SchemaText } from "../src/registry/registry.ts"

export class MemoryRegistry implements Registry {
  readonly schemas: SchemaText[] = []
  readonly subjects = new Map<string, number[]>()
  asked = 0
  async register(subject: string, schema: SchemaText): Promise<number> {
    let id = this.schemas.findIndex((known) => JSON.stringify(known) === JSON.stringify(schema)) + 1
    if (id === 0) id = this.schemas.push(schema)
    const versions = this.subjects.get(subject) ?? []
    if (!versions.includes(id)) versions.push(id)
    this.subjects.set(subject, versions)
    return id
  }
  async lookup(subject: string, schema: SchemaText): Promise<number> {
    const id = this.schemas.findIndex((known) => JSON.stringify(known) === JSON.stringify(schema)) + 1
    if (!this.subjects.get(subject)?.includes(id)) throw new Error(`not registered under ${subject}`)
    return id
  }
  async schemaById(id: number): Promise<SchemaText> {
    this.asked++
    const found = this.schemas[id - 1]
    if (!found) throw new Error(`no schema ${id}`)
    return found
  }
  async schemaByVersion(subject: string, version: number | "latest") {
    const versions = this.subjects.get(subject)!
    const number = version === "latest" ? versions.length : version
    const id = versions[number - 1]!
    return { ...this.schemas[id - 1]!, id, version: number }
  }
}
