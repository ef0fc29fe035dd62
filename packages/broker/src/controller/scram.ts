/**
 * Decisions about SCRAM credentials (KIP-554). A request changes one credential of a user: one that names a user twice changes
 * nothing of that user.
 */
import { ErrorCode } from "@millrace/protocol"
import type {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from "@millrace/protocol/messages/alter-user-scram-credentials"
import {
  SCRAM_ITERATIONS_MAX,
  SCRAM_MECHANISMS,
  scramCredential,
  type ScramMechanism,
  scramMechanismOf,
} from "@millrace/protocol/sasl/scram"
import type { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import { outcomeOf, Refusal } from "./refusal.ts"
import type { Decision } from "./topics.ts"

type Upsertion = AlterUserScramCredentialsRequest["upsertions"][number]
type Deletion = AlterUserScramCredentialsRequest["deletions"][number]
type Results = AlterUserScramCredentialsResponse["results"]

export function alterScramCredentials(
  image: MetadataImage,
  { upsertions, deletions }: Pick<AlterUserScramCredentialsRequest, "upsertions" | "deletions">,
): Decision<Results> {
  const records: MetadataRecord[] = []
  const upserted = Map.groupBy(upsertions, ({ name }) => name)
  const deleted = Map.groupBy(deletions, ({ name }) => name)
  const users = new Set([...upserted.keys(), ...deleted.keys()])
  const response = [...users].map((user): Results[number] => ({
    user,
    ...outcomeOf(() => {
      const changes = changesOf(image, user, upserted.get(user) ?? [], deleted.get(user) ?? [])
      for (const record of changes) records.push(record)
    }),
  }))
  return { records, response }
}

function changesOf(
  image: MetadataImage,
  user: string,
  upsertions: readonly Upsertion[],
  deletions: readonly Deletion[],
): MetadataRecord[] {
  if (user === "") throw new Refusal(ErrorCode.UNACCEPTABLE_CREDENTIAL, "Username must not be empty")
  if (upsertions.length + deletions.length > 1)
    throw new Refusal(ErrorCode.DUPLICATE_RESOURCE, "A user credential cannot be altered twice in the same request")
  return [
    ...deletions.map(({ mechanism }) => removal(image, user, mechanism)),
    ...upsertions.map((upsertion) => upsert(user, upsertion)),
  ]
}

function known(number: number): ScramMechanism {
  const mechanism = scramMechanismOf(number)
  if (mechanism === undefined) throw new Refusal(ErrorCode.UNSUPPORTED_SASL_MECHANISM, "Unknown SCRAM mechanism")
  return mechanism
}

function removal(image: MetadataImage, name: string, mechanism: number): MetadataRecord {
  if (image.scramCredential(name, known(mechanism)) === undefined)
    throw new Refusal(ErrorCode.RESOURCE_NOT_FOUND, "Attempt to delete a user credential that does not exist")
  return { type: "RemoveUserScramCredentialRecord", data: { name, mechanism } }
}

function upsert(name: string, { mechanism: number, iterations, salt, saltedPassword }: Upsertion): MetadataRecord {
  const mechanism = known(number)
  const { iterationsMin } = SCRAM_MECHANISMS[mechanism]
  if (iterations < iterationsMin) throw new Refusal(ErrorCode.UNACCEPTABLE_CREDENTIAL, "Too few iterations")
  if (iterations > SCRAM_ITERATIONS_MAX) throw new Refusal(ErrorCode.UNACCEPTABLE_CREDENTIAL, "Too many iterations")
  const { storedKey, serverKey } = scramCredential(mechanism, saltedPassword, salt, iterations)
  const data = { name, mechanism: number, salt, storedKey, serverKey, iterations }
  return { type: "UserScramCredentialRecord", data }
}
